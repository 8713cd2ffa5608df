//! What the terminal can do.

use std::path::PathBuf;
use std::process::Command;

use super::Check;

pub fn checks() -> Vec<Check> {
    vec![clipboard(), debugger()]
}

/// Copying goes through the terminal (OSC 52), and tmux stands between.
fn clipboard() -> Check {
    const NAME: &str = "clipboard";
    if std::env::var_os("TMUX").is_none() {
        return Check::ok(NAME, "the terminal's own (OSC 52)");
    }
    let shown = Command::new("tmux").args(["show-options", "-sv", "set-clipboard"]).output();
    match shown.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) {
        Ok(value) if value == "on" => Check::ok(NAME, "tmux passes it on (set-clipboard on)"),
        Ok(value) => Check::warn(
            NAME,
            format!("tmux does not take it from programs (set-clipboard {value})"),
            "tmux set-option -s set-clipboard on",
        ),
        Err(error) => Check::warn(NAME, format!("tmux did not say: {error}"), "tmux set-option -s set-clipboard on"),
    }
}

/// No command uses it yet; told because the set-up brings it.
fn debugger() -> Check {
    match find("dlv") {
        Some(path) => Check::info("dlv", path.display().to_string()),
        None => Check::info("dlv", "not on PATH; nothing here needs it"),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
