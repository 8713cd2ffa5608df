//! The environment a process was started with.

use super::EnvVar;

/// Splits `/proc/PID/environ` (proc_pid_environ(5)). A piece without `=` is a name without a value: the process may
/// have written anything over it.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<EnvVar> {
    let pieces = bytes.split(|&byte| byte == 0).filter(|piece| !piece.is_empty());
    let parsed = pieces.map(|piece| match piece.iter().position(|&byte| byte == b'=') {
        Some(at) => EnvVar { name: piece[..at].into(), value: piece[at + 1..].into() },
        None => EnvVar { name: piece.into(), value: b""[..].into() },
    });
    parsed.collect()
}
