//! What keeps a process in: seccomp, `no_new_privs`, a security label.

use super::{Field, status};
use crate::inspect::processes::stat;
use crate::text::Untrusted;

/// Fields of proc_pid_status(5) that are told here.
const FIELDS: [&[u8]; 5] =
    [b"NoNewPrivs", b"Seccomp", b"Seccomp_filters", b"Speculation_Store_Bypass", b"SpeculationIndirectBranch"];

/// Whether a field of `/proc/PID/status` is told here.
#[must_use]
pub fn is_field(name: &[u8]) -> bool {
    FIELDS.contains(&name)
}

/// Puts together what `/proc/PID/status`, `attr/current` (AppArmor or SELinux; it is missing without either) and
/// `oom_score_adj` tell.
#[must_use]
pub fn parse(status: &[u8], label: Option<&[u8]>, oom: Option<&[u8]>) -> Vec<Field> {
    let field = |name: &str, value: Untrusted| Field { name: name.to_owned(), value };
    let mut fields: Vec<Field> = stat::fields(status)
        .filter(|(name, _)| is_field(name))
        .take(FIELDS.len())
        .map(|(name, value)| field(&String::from_utf8_lossy(name), decode(name, value)))
        .collect();
    let label = label.map(|label| label.strip_suffix(b"\0").unwrap_or(label).trim_ascii());
    match label.filter(|label| !label.is_empty()) {
        Some(label) => fields.push(field("Label", label.into())),
        None => fields.push(field("Label", "none".into())),
    }
    fields.extend(oom.map(|score| field("OomScoreAdj", score.trim_ascii().into())));
    fields
}

fn decode(name: &[u8], value: &[u8]) -> Untrusted {
    match (name, value) {
        (b"NoNewPrivs", value) => status::yes_or_no(value).map_or_else(|| value.into(), |word| word.as_str().into()),
        (b"Seccomp", b"0") => "off".into(),
        (b"Seccomp", b"1") => "strict".into(),
        (b"Seccomp", b"2") => "filter".into(),
        (_, value) => value.into(),
    }
}
