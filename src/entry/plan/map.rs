//! How ids of a user namespace map to ours (user_namespaces(7), `/proc/PID/uid_map`).

/// Ranges of ids: first inside, first outside, how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdMap(Vec<(u32, u32, u32)>);

impl IdMap {
    /// Reads `/proc/PID/uid_map`; lines that are not three numbers are passed over. At most 340 lines, which
    /// is the kernel's own bound.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let line = |line: &[u8]| {
            let mut numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace().map(str::parse::<u32>);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        Self(text.split(|&byte| byte == b'\n').filter_map(line).take(340).collect())
    }

    /// The number inside of an id outside.
    #[must_use]
    pub fn inside(&self, outside: u32) -> Option<u32> {
        let within = |&&(_, first, count): &&(u32, u32, u32)| outside >= first && outside - first < count;
        let &(inside, first, _) = self.0.iter().find(within)?;
        inside.checked_add(outside - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_there() {
        let map = IdMap::parse(b"         0     100000      65536\n     70000       5000          1\nbroken\n1 2\n");
        assert_eq!(map.inside(100_000), Some(0));
        assert_eq!(map.inside(165_535), Some(65_535));
        assert_eq!(map.inside(165_536), None);
        assert_eq!(map.inside(5000), Some(70_000));
        assert_eq!(map.inside(0), None);
    }

    #[test]
    fn no_number_overflows() {
        let map = IdMap::parse(b"4294967295 0 4294967295\n");
        assert_eq!(map.inside(0), Some(u32::MAX));
        assert_eq!(map.inside(1), None);
    }
}
