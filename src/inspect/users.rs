//! Names of users and groups, from the target's own `/etc/passwd` and `/etc/group`.

use std::collections::HashMap;

use crate::text::Untrusted;

/// Names by id. Empty in most scratch images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// User names.
    pub users: HashMap<u32, Untrusted>,
    /// Group names.
    pub groups: HashMap<u32, Untrusted>,
}
