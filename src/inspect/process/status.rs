//! `/proc/PID/status` in words.

use super::{Field, signals};
use crate::inspect::fetch;
use crate::inspect::files::human_size;
use crate::inspect::processes::stat;
use crate::inspect::users::Users;
use crate::text::Untrusted;

/// How many fields are taken. The kernel has some 60.
const MAX_FIELDS: usize = 256;

/// Decodes proc_pid_status(5) in the kernel's order. Left out is what other parts tell (capabilities, security) and
/// masks that come a second time as a list.
#[must_use]
pub fn parse(text: &[u8], users: &Users) -> Vec<Field> {
    let fields = stat::fields(text).filter(|(name, _)| !left_out(name)).take(MAX_FIELDS);
    fields
        .map(|(name, value)| Field {
            name: String::from_utf8_lossy(name).into_owned(),
            value: decode(name, value, users),
        })
        .collect()
}

fn left_out(name: &[u8]) -> bool {
    name.starts_with(b"Cap")
        || matches!(
            name,
            b"Cpus_allowed" | b"Mems_allowed" | b"untag_mask" | b"x86_Thread_features" | b"x86_Thread_features_locked"
        )
        || super::security::is_field(name)
}

fn decode(name: &[u8], value: &[u8], users: &Users) -> Untrusted {
    let words = match name {
        b"Uid" => ids(value, |uid| users.users.get(&uid)),
        b"Gid" => ids(value, |gid| users.groups.get(&gid)),
        b"Groups" => groups(value, users),
        b"SigPnd" | b"ShdPnd" | b"SigBlk" | b"SigIgn" | b"SigCgt" => fetch::number(value, 16).map(signals::words),
        b"TracerPid" => (value == b"0").then(|| "none".to_owned()),
        b"CoreDumping" | b"THP_enabled" | b"Kthread" => yes_or_no(value),
        _ => stat::kilobytes(value).map(human_size),
    };
    words.map_or_else(|| value.into(), |words| words.as_str().into())
}

/// Real, effective, saved and file-system id: one if they are all the same.
fn ids<'u>(value: &[u8], name: impl Fn(u32) -> Option<&'u Untrusted>) -> Option<String> {
    let ids: Vec<u32> = fetch::words(value).map(fetch::decimal).collect::<Option<_>>()?;
    let word = |id: u32| name(id).map_or_else(|| id.to_string(), |name| format!("{id} ({})", name.safe()));
    match ids[..] {
        [real, effective, saved, fs] if [effective, saved, fs] == [real; 3] => Some(word(real)),
        [real, effective, saved, fs] => Some(format!(
            "{} real, {} effective, {} saved, {} file system",
            word(real),
            word(effective),
            word(saved),
            word(fs)
        )),
        _ => None,
    }
}

fn groups(value: &[u8], users: &Users) -> Option<String> {
    let ids: Vec<u32> = fetch::words(value).map(fetch::decimal).collect::<Option<_>>()?;
    let names: Vec<String> = ids.into_iter().map(|gid| users.group(gid)).collect();
    Some(if names.is_empty() { "none".to_owned() } else { names.join(" ") })
}

/// `0` and `1` as words.
#[must_use]
pub fn yes_or_no(value: &[u8]) -> Option<String> {
    match value {
        b"0" => Some("no".to_owned()),
        b"1" => Some("yes".to_owned()),
        _ => None,
    }
}
