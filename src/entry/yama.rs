//! What Yama allows: a security module that narrows down who may look into a process (kernel doc, `LSM/Yama`).

/// Where it says so.
pub const SCOPE: &str = "/proc/sys/kernel/yama/ptrace_scope";

/// Whether it lets only those trace, or read memory, that have a capability, by what [`SCOPE`] says. There is none where Yama is
/// not at work.
pub fn is_restricted(scope: Option<&[u8]>) -> bool {
    scope.is_some_and(|scope| scope.trim_ascii() != b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_restricted() {
        for (scope, restricted) in
            [(None, false), (Some(&b"0\n"[..]), false), (Some(b"1\n"), true), (Some(b"3"), true), (Some(b""), true)]
        {
            assert_eq!(is_restricted(scope), restricted, "{scope:?}");
        }
    }
}
