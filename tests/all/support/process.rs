//! Processes of this host, as `/proc` shows them.

use std::fs;
use std::path::{Path, PathBuf};

/// What was there, or nothing: processes come and go while one looks.
pub fn read(path: impl AsRef<Path>) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

pub fn all_pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The namespace a process is in; `kind` as in `/proc/PID/ns`.
pub fn namespace(pid: impl std::fmt::Display, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// `R`, `S`, `Z`, …; nothing if there is no such process.
pub fn state(pid: i32) -> Option<char> {
    stat(pid, 0)?.chars().next()
}

pub fn parent(pid: i32) -> Option<i32> {
    stat(pid, 1)?.parse().ok()
}

/// A column of `/proc/PID/stat` behind the name, which may hold anything: they begin behind the last bracket.
fn stat(pid: i32, column: usize) -> Option<String> {
    let stat = read(format!("/proc/{pid}/stat"));
    stat.rsplit_once(") ")?.1.split(' ').nth(column).map(str::to_owned)
}

/// The arguments, each ended by a zero byte.
pub fn command_line(pid: i32) -> String {
    read(format!("/proc/{pid}/cmdline"))
}

/// The words of a field of `/proc/PID/status`.
///
/// # Panics
/// If there is no such process or field.
#[track_caller]
pub fn status(pid: i32, field: &str) -> Vec<String> {
    let text = read(format!("/proc/{pid}/status"));
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let line = line.unwrap_or_else(|| panic!("process {pid} has no {field} in its status:\n{text}"));
    line.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Whether it runs no more. What has ended may stay a zombie until whoever adopted it looks.
pub fn has_ended(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}
