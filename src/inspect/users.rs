//! Names of users and groups, from the target's own `/etc/passwd` and `/etc/group`.

use std::collections::HashMap;

use super::fetch;
use crate::shim::Shim;
use crate::text::Untrusted;

/// How much of `/etc/passwd` and of `/etc/group` is read, in bytes. What lies beyond has no names.
pub const MAX_FILE: u64 = 1 << 20;
/// The longest name taken, in bytes: `LOGIN_NAME_MAX` (limits.h) without the NUL.
pub const MAX_NAME: usize = 255;

/// Names by id. Empty in most scratch images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// User names.
    pub users: HashMap<u32, Untrusted>,
    /// Group names.
    pub groups: HashMap<u32, Untrusted>,
}

impl Users {
    /// A user's name for a person: the number where there is none.
    #[must_use]
    pub fn user(&self, uid: u32) -> String {
        named(&self.users, uid)
    }

    /// A group's name for a person: the number where there is none.
    #[must_use]
    pub fn group(&self, gid: u32) -> String {
        named(&self.groups, gid)
    }
}

fn named(names: &HashMap<u32, Untrusted>, id: u32) -> String {
    names.get(&id).map_or_else(|| id.to_string(), |name| name.safe().into_string())
}

/// Reads both files. One that is not there or may not be read counts as empty.
pub async fn read(shim: &Shim) -> Users {
    let (passwd, group) = futures_util::future::join(
        fetch::prefix(shim, b"/etc/passwd", MAX_FILE),
        fetch::prefix(shim, b"/etc/group", MAX_FILE),
    )
    .await;
    let parsed = |file: Result<(Vec<u8>, bool), _>| file.map(|(text, _)| parse(&text)).unwrap_or_default();
    Users { users: parsed(passwd), groups: parsed(group) }
}

/// Parses passwd(5) or group(5): both have the name first and the id third. The first line of an id counts, as
/// in getpwuid(3); lines that make no sense are left out.
#[must_use]
pub fn parse(text: &[u8]) -> HashMap<u32, Untrusted> {
    let mut names = HashMap::new();
    for line in fetch::lines(text) {
        let mut fields = line.split(|&byte| byte == b':');
        let (Some(name), Some(_), Some(id)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let bad = name.is_empty() || name.len() > MAX_NAME || matches!(name[0], b'#' | b'+' | b'-');
        if let (false, Some(id)) = (bad, fetch::decimal(id)) {
            names.entry(id).or_insert_with(|| name.into());
        }
    }
    names
}

#[cfg(test)]
#[allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.
mod tests {
    use super::*;

    #[test]
    fn names_by_id() {
        let text = b"root:x:0:0:root:/root:/sbin/nologin\ntoor:x:0:0::/:\n\n# c:x:1:\n+nis:x:2:\n:x:3:\nbad\n\
                     x:y:notanumber\nneg:x:-1:\nbig:x:4294967296:\napp\x1b:x:65532:65532::/:/bin/false\nlast:x:7";
        let names = parse(text);
        let mut ids: Vec<_> = names.keys().copied().collect();
        ids.sort_unstable();
        assert_eq!(ids, [0, 7, 65532]);
        assert_eq!(names[&0], "root".into());
        let users = Users { users: names, groups: HashMap::new() };
        assert_eq!((users.user(65532).as_str(), users.user(5).as_str()), (r"app\x1b", "5"));
        assert_eq!(users.group(0), "0");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(text: Vec<u8>) {
            parse(&text);
        }
    }
}
