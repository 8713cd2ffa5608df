//! User namespaces. Nothing here makes one; targets and rootless engines live in them.

use super::{Check, read};

/// Reads the switches there are.
pub fn check() -> Check {
    judge(
        std::path::Path::new("/proc/self/ns/user").exists(),
        read("/proc/sys/user/max_user_namespaces").as_deref(),
        read("/proc/sys/kernel/unprivileged_userns_clone").as_deref(),
        read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref(),
    )
}

fn judge(known: bool, most: Option<&str>, clone: Option<&str>, restricted: Option<&str>) -> Check {
    const NAME: &str = "user namespaces";
    if !known {
        return Check::info(NAME, "not known to this kernel");
    }
    let mut seen = vec!["targets in one can be entered".to_owned()];
    match most {
        Some("0") => seen.push("user.max_user_namespaces is 0: no new ones can be made".to_owned()),
        Some(most) => seen.push(format!("at most {most} for a user")),
        None => {}
    }
    if clone == Some("0") {
        seen.push("kernel.unprivileged_userns_clone is 0: only root makes new ones".to_owned());
    }
    if restricted.is_some_and(|value| value != "0") {
        let what = "kernel.apparmor_restrict_unprivileged_userns is on: without root only programs with a profile for it make them";
        seen.push(what.to_owned());
    }
    if seen.len() > 2 || most == Some("0") {
        seen.push("that concerns rootless engines alone".to_owned());
    }
    Check::info(NAME, seen.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_told_by_name() {
        for (known, most, clone, restricted, words, absent) in [
            (false, None, None, None, "not known", "targets"),
            (true, Some("96365"), None, None, "at most 96365", "rootless"),
            (true, Some("96365"), Some("1"), Some("0"), "at most 96365", "rootless"),
            (true, Some("0"), None, None, "is 0: no new ones can be made; that concerns rootless", "at most"),
            (true, Some("5"), Some("0"), None, "unprivileged_userns_clone is 0", "apparmor"),
            (true, Some("5"), Some("1"), Some("1"), "apparmor_restrict_unprivileged_userns is on", "clone"),
        ] {
            let check = judge(known, most, clone, restricted);
            assert!(check.seen.contains(words) && !check.seen.contains(absent), "{check:?}");
        }
    }
}
