//! Values that look like secrets are masked until they are asked for: screens are shared.

pub use crate::secret::is_secret;

/// What is shown in place of a secret.
pub const MASK: &str = "••••••••";
