//! Delve. No command uses it yet; told because the set-up brings it.

use super::{Check, ask};

/// Versions that were tried, each with the newest Go whose programs it shows whole: goroutines, stacks, variables.
const TRIED: [((u32, u32), &str); 3] = [((1, 20), "1.23"), ((1, 24), "1.24"), ((1, 27), "1.27")];
/// What it would otherwise do at its start: make its folder of settings. Nothing can be made in here.
const NO_SETTINGS: [(&str, &str); 2] = [("HOME", "/dev/null"), ("XDG_CONFIG_HOME", "/dev/null")];

/// Looks for it.
pub async fn check() -> Check {
    const NAME: &str = "dlv";
    let Some(program) = ask::find("dlv") else {
        return Check::info(NAME, "not on PATH; nothing here needs it");
    };
    let seen = match ask::output(&program, &["version"], &NO_SETTINGS).await {
        Ok(text) => words(&text),
        Err(error) => format!("does not tell its version: {error}"),
    };
    Check::info(NAME, format!("{}: {seen}", program.display()))
}

/// What `dlv version` prints has a line `Version: 1.27.1`.
fn words(text: &str) -> String {
    let Some(version) = text.lines().find_map(|line| line.strip_prefix("Version:")).map(str::trim) else {
        return "does not tell its version".to_owned();
    };
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return format!("version {version}");
    };
    match TRIED.iter().rev().find(|(tried, _)| (major, minor) >= *tried) {
        Some((_, go)) => format!("version {version}, good for programs of Go 1.19 to {go} at least"),
        None => format!("version {version}, older than any that was tried"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_those_that_were_tried() {
        let of = |version: &str| words(&format!("Delve Debugger\nVersion: {version}\nBuild: $Id: e0c278ad $\n"));
        for (version, shown) in [
            ("1.20.2", "version 1.20.2, good for programs of Go 1.19 to 1.23 at least"),
            ("1.23.9", "version 1.23.9, good for programs of Go 1.19 to 1.23 at least"),
            ("1.24.0", "version 1.24.0, good for programs of Go 1.19 to 1.24 at least"),
            ("1.27.1", "version 1.27.1, good for programs of Go 1.19 to 1.27 at least"),
            ("1.30.0", "version 1.30.0, good for programs of Go 1.19 to 1.27 at least"),
            ("1.9.1", "version 1.9.1, older than any that was tried"),
            ("(devel)", "version (devel)"),
        ] {
            assert_eq!(of(version), shown);
        }
        assert_eq!(words("hello"), "does not tell its version");
    }
}
