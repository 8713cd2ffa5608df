//! Which control groups this host has.

use std::path::Path;

use super::{Check, read};

/// None is ever joined, so this is never wrong. It is good to know what the figures of a target come from.
pub fn check() -> Check {
    Check::info(
        "cgroups",
        format!("{}; none of a target's is ever joined", version(&read("/proc/self/mountinfo").unwrap_or_default())),
    )
}

/// From proc_pid_mountinfo(5): the fifth field is where, and the type of a file system stands behind the dash.
fn version(mountinfo: &str) -> &'static str {
    let here = |line: &&str| line.split(' ').nth(4).is_some_and(|path| Path::new(path).starts_with("/sys/fs/cgroup"));
    let types = || mountinfo.lines().filter(here).filter_map(|line| line.split_once(" - ")?.1.split(' ').next());
    let (first, second) = (types().any(|kind| kind == "cgroup"), types().any(|kind| kind == "cgroup2"));
    match (first, second) {
        (true, true) => "version 1, with version 2 beside it (hybrid)",
        (true, false) => "version 1",
        (false, true) => "version 2",
        (false, false) => "not mounted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_what_is_mounted() {
        let old = "36 25 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
        let new = "35 25 0:31 / /sys/fs/cgroup/unified rw,relatime shared:9 master:2 - cgroup2 cgroup2 rw\n";
        // A path that has the word in it is none, and one elsewhere is somebody's own.
        let other = "40 25 0:3 / /srv/cgroup2 rw - tmpfs cgroup rw\n41 25 0:4 / /srv/c rw - cgroup2 cgroup rw\n";
        for (mounts, shown) in [
            (format!("{old}{other}"), "version 1"),
            (format!("{new}{other}"), "version 2"),
            (format!("{old}{new}"), "version 1, with version 2 beside it (hybrid)"),
            (other.to_owned(), "not mounted"),
        ] {
            assert_eq!(version(&mounts), shown);
        }
    }
}
