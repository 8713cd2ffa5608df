//! Sets of signals by name.

/// Names of signals 1 to 31, without `SIG` (signal(7); the numbers of x86 and ARM).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// A mask of proc_pid_status(5) in words: bit 0 is signal 1. Real-time signals are counted, not named.
#[must_use]
pub fn words(mask: u64) -> String {
    let mut names: Vec<String> = NAMES
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask & (1 << bit) != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    match (mask >> NAMES.len()).count_ones() {
        0 => {}
        count => names.push(format!("{count} real-time")),
    }
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}
