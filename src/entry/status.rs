//! Who a process is.

use super::plan::Ids;

/// The fields of `/proc/PID/status` that say who a process is (proc_pid_status(5)).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The ids it uses for files.
    pub ids: Ids,
    /// Its effective user.
    pub effective_uid: u32,
    /// Its permitted capabilities.
    pub permitted: u64,
    /// Its effective capabilities.
    pub effective: u64,
    /// Its number in its own pid namespace.
    pub inside: i32,
}

impl Status {
    /// Reads the text of the file. `None` if a field is missing.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let field = |name: &str| {
            // The first line holds the process's name, whose bytes are its own choice but hold no line end.
            let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name.as_bytes()))?;
            std::str::from_utf8(line).ok().map(str::split_ascii_whitespace)
        };
        let number = |name, column| field(name)?.nth(column)?.parse::<u32>().ok();
        let bits = |name| u64::from_str_radix(field(name)?.next()?, 16).ok();
        Some(Self {
            // The ids used for files: fsuid and fsgid follow the effective ones.
            ids: Ids {
                uid: number("Uid:", 1)?,
                gid: number("Gid:", 1)?,
                groups: field("Groups:")?.filter_map(|group| group.parse().ok()).collect(),
            },
            effective_uid: number("Uid:", 1)?,
            permitted: bits("CapPrm:")?,
            effective: bits("CapEff:")?,
            // One number a nested pid namespace, the innermost last.
            inside: field("NSpid:")?.next_back()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read() {
        let text = b"Name:\tUid:\t0\nUmask:\t0022\nUid:\t1\t65532\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 27 \n\
            CapPrm:\t00000000a80425fb\nCapEff:\t0000000000000400\nNSpid:\t4711\t1\n";
        let ids = Ids { uid: 65532, gid: 6, groups: vec![4, 27] };
        let status = Status { ids, effective_uid: 65532, permitted: 0xa804_25fb, effective: 0x400, inside: 1 };
        assert_eq!(Status::parse(text), Some(status));
        assert_eq!(Status::parse(b"Uid:\t1\n"), None);
        assert_eq!(Status::parse(b"\xff"), None);
    }
}
