//! Mounts a process sees.

use super::MountPoint;
use crate::inspect::fetch;
use crate::text::Untrusted;

/// Parses `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). Lines that make no sense are left out.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<MountPoint> {
    fetch::lines(text).filter_map(mount).collect()
}

/// `id parent major:minor root point options [tags…] - kind source superoptions`
fn mount(line: &[u8]) -> Option<MountPoint> {
    let mut fields = line.split(|&byte| byte == b' ').skip(4);
    let (point, options) = (fields.next()?, fields.next()?);
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, source) = (fields.next()?, fields.next()?);
    Some(MountPoint {
        point: Untrusted::new(unescape(point)),
        kind: kind.into(),
        source: Untrusted::new(unescape(source)),
        options: options.into(),
    })
}

/// The kernel writes space, tab, line end and backslash as `\040` and so on (`fs/proc_namespace.c`).
#[must_use]
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[3..] } else { tail };
    }
    bytes
}
