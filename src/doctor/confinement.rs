//! Who else may forbid what the rights would allow: Yama, AppArmor, SELinux.

use super::{Check, read};

/// Looks at each.
pub fn checks() -> Vec<Check> {
    let label = read("/proc/self/attr/apparmor/current").or_else(|| read("/proc/self/attr/current"));
    let enforcing = read("/sys/fs/selinux/enforce").map(|value| value == "1");
    vec![
        yama(read("/proc/sys/kernel/yama/ptrace_scope").as_deref()),
        modules(read("/sys/kernel/security/lsm").as_deref(), apparmor(), enforcing),
        own(label.as_deref(), enforcing),
    ]
}

fn apparmor() -> bool {
    read("/sys/module/apparmor/parameters/enabled").is_some_and(|value| value == "Y")
}

fn yama(scope: Option<&str>) -> Check {
    const NAME: &str = "yama";
    match scope {
        None => Check::ok(NAME, "not active"),
        Some("3") => Check::info(
            NAME,
            "ptrace_scope is 3: nobody may attach to a process until the next boot; nothing here attaches",
        ),
        Some(scope) => Check::ok(NAME, format!("ptrace_scope is {scope}; nothing here attaches to a process")),
    }
}

/// Which are there, and what that may mean for a target that is confined.
fn modules(list: Option<&str>, apparmor: bool, enforcing: Option<bool>) -> Check {
    let active = match (list, apparmor, enforcing) {
        (Some(list), ..) => list.replace(',', ", "),
        (None, true, None) => "apparmor (the list is not told: securityfs is not mounted)".to_owned(),
        (None, _, Some(_)) => "selinux (the list is not told: securityfs is not mounted)".to_owned(),
        (None, false, None) => "not told (securityfs is not mounted); neither AppArmor nor SELinux is seen".to_owned(),
    };
    let mut seen = active;
    if apparmor {
        seen.push_str(
            "; AppArmor: a target with a profile of its own may keep a sidecar out, which has the engine's default one",
        );
    }
    match enforcing {
        Some(true) => seen.push_str("; SELinux enforces: what it refuses is in `ausearch -m avc -ts recent`"),
        Some(false) => seen.push_str("; SELinux is permissive"),
        None => {}
    }
    Check::info("security modules", seen)
}

/// What this program itself runs under.
fn own(label: Option<&str>, enforcing: Option<bool>) -> Check {
    const NAME: &str = "own confinement";
    let label = label.map(|label| label.trim_end_matches('\0').trim()).filter(|label| !label.is_empty());
    // An SELinux context is USER:ROLE:TYPE[:LEVEL]; an AppArmor profile is `NAME (MODE)`, and its name may have a colon.
    let kind = label.filter(|_| enforcing.is_some()).and_then(|label| label.split(':').nth(2));
    match (label, kind) {
        (None, _) => Check::ok(NAME, "none"),
        (Some("unconfined"), _) => Check::ok(NAME, "none (unconfined)"),
        (Some(label), Some(kind)) if enforcing == Some(false) || ["unconfined_t", "spc_t"].contains(&kind) => {
            Check::ok(NAME, format!("SELinux context {label}, which is not held to a policy"))
        }
        (Some(label), Some(_)) => Check::info(
            NAME,
            format!("SELinux context {label}; if a step is refused, `ausearch -m avc -ts recent` says so"),
        ),
        (Some(label), None) if label.ends_with("(complain)") || label.ends_with("(unconfined)") => {
            Check::ok(NAME, format!("AppArmor profile {label}, which refuses nothing"))
        }
        (Some(label), None) => Check::warn(
            NAME,
            format!("AppArmor profile {label}: it may refuse a step of the local door"),
            "if a step is refused, `sudo journalctl -k -g apparmor` says which; run scratchdbg outside of that profile",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn nothing_here_attaches() {
        for (scope, verdict, words) in [
            (None, Verdict::Ok, "not active"),
            (Some("1"), Verdict::Ok, "is 1"),
            (Some("3"), Verdict::Info, "next boot"),
        ] {
            let check = yama(scope);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
    }

    #[test]
    fn modules_that_are_seen() {
        for (list, apparmor, enforcing, words, absent) in [
            (Some("lockdown,capability,yama,apparmor"), true, None, "yama, apparmor; AppArmor: a target", "SELinux"),
            (Some("capability,selinux"), false, Some(true), "ausearch", "AppArmor"),
            (Some("capability,selinux"), false, Some(false), "permissive", "ausearch"),
            (None, true, None, "apparmor (the list", "SELinux"),
            (None, false, None, "not told", "ausearch"),
        ] {
            let check = modules(list, apparmor, enforcing);
            assert!(check.seen.contains(words) && !check.seen.contains(absent), "{check:?}");
            assert_eq!(check.verdict, Verdict::Info);
        }
    }

    #[test]
    fn our_own_label() {
        for (label, enforcing, verdict, words) in [
            (None, None, Verdict::Ok, "none"),
            (Some(""), None, Verdict::Ok, "none"),
            (Some("unconfined\n"), None, Verdict::Ok, "none"),
            (Some("docker-default (enforce)"), None, Verdict::Warn, "docker-default (enforce)"),
            (Some("snap.foo.bar (complain)"), None, Verdict::Ok, "refuses nothing"),
            (Some("a:b:c (enforce)"), None, Verdict::Warn, "AppArmor profile a:b:c"),
            (Some("unconfined_u:unconfined_r:unconfined_t:s0\0"), Some(true), Verdict::Ok, "unconfined_t"),
            (Some("system_u:system_r:sshd_t:s0"), Some(true), Verdict::Info, "ausearch"),
            (Some("system_u:system_r:sshd_t:s0"), Some(false), Verdict::Ok, "not held"),
        ] {
            let check = own(label, enforcing);
            assert!(check.verdict == verdict && check.seen.contains(words), "{label:?}: {check:?}");
        }
    }
}
