//! Who enters where, with which rights: decided before anything is done.

/// What will be done to enter one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Namespaces to join, those that differ from ours: `mnt`, `net`, …
    pub namespaces: Vec<&'static str>,
    /// Who looks: `65532:65532, no capabilities`.
    pub identity: String,
    /// Which door: `local`.
    pub door: &'static str,
}
