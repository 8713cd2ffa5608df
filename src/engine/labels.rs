//! What marks a container or an image as made by scratchdbg. `clean` touches nothing else.

/// Every container and image scratchdbg makes carries this label, with [`OWNER_VALUE`].
pub const OWNER: &str = "io.scratchdbg.owner";
/// What [`OWNER`] is set to. Another value is somebody else's.
pub const OWNER_VALUE: &str = "scratchdbg";
/// The full id of the container a sidecar was made for.
pub const TARGET: &str = "io.scratchdbg.target";

/// Whether these labels say that scratchdbg made it.
pub fn is_ours<'a>(labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> bool {
    labels.into_iter().any(|(name, value)| name == OWNER && value == OWNER_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_label_counts() {
        for (name, value, ours) in [
            (OWNER, OWNER_VALUE, true),
            (OWNER, "", false),
            (OWNER, "somebody", false),
            ("io.scratchdbg.owner.x", OWNER_VALUE, false),
            ("owner", OWNER_VALUE, false),
        ] {
            let (name, value) = (name.to_owned(), value.to_owned());
            assert_eq!(is_ours([(&name, &value)]), ours, "{name}={value}");
        }
    }
}
