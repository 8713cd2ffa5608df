//! All processes the target can see: `ps`.

pub mod order;
pub mod stat;

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join3;
use serde::Serialize;

use self::stat::{Stat, Status};
use super::users::Users;
use super::{Error, fetch};
use crate::shim::{self, Shim};
use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

pub use order::{SortBy, sort, tree};

/// How many processes are read at most.
pub const MAX_PROCESSES: usize = 65_536;
/// How much of `/proc/PID/stat` and `/proc/PID/status` is read, in bytes. Both are far smaller.
pub const MAX_STATUS: u64 = 64 << 10;
/// How much of a command line is read for a list, in bytes.
pub const MAX_COMMAND: u64 = 32 << 10;
/// Clock ticks in a second, of every time in `/proc`: what `AT_CLKTCK` (getauxval(3)) tells a process. It is the
/// kernel's `USER_HZ`, a part of its ABI, 100 on every architecture this program is built for
/// (`include/asm-generic/param.h`); `CONFIG_HZ` does not change it.
pub const TICKS_PER_SECOND: u64 = 100;

/// One process, as a line of `ps` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Process {
    /// Its id inside.
    pub pid: ContainerPid,
    /// Its id on this host, where it can be known.
    pub host_pid: Option<HostPid>,
    /// Its parent inside; 0 for the first process and for those that entered.
    pub ppid: ContainerPid,
    /// Real user id, inside.
    pub uid: u32,
    /// The user's name from the target's own `/etc/passwd`, if it has one.
    pub user: Option<Untrusted>,
    /// State letter of proc_pid_stat(5): `R`, `S`, `D`, `T`, `t`, `Z`, …
    pub state: char,
    /// Threads.
    pub threads: u64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Processor time used so far, user and system together.
    #[serde(serialize_with = "crate::inspect::processes::seconds", rename = "cpu_seconds")]
    pub cpu: Duration,
    /// Age of the process, from its start to the reading.
    #[serde(serialize_with = "crate::inspect::processes::seconds", rename = "age_seconds")]
    pub age: Duration,
    /// Share of one processor over its whole life, in percent, as `ps` counts it.
    pub cpu_percent: f64,
    /// Start in clock ticks after boot: with `pid`, what tells a process from a later one of the same id.
    pub start_ticks: u64,
    /// The kernel's name of it (`comm`), at most 15 bytes.
    pub name: Untrusted,
    /// Its arguments; empty for a zombie or a kernel thread.
    pub command: Vec<Untrusted>,
}

pub(crate) fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Process {
    /// Its command as one line for a person: arguments, or `[name]` where it has none.
    #[must_use]
    pub fn command_line(&self) -> String {
        if self.command.is_empty() {
            return format!("[{}]", self.name.safe());
        }
        let words: Vec<String> = self.command.iter().map(quoted).collect();
        words.join(" ")
    }
}

/// An argument so that one sees where it ends: quoted if it is empty or has a space.
fn quoted(argument: &Untrusted) -> String {
    let text = argument.safe().into_string();
    if text.is_empty() || text.contains(' ') { format!("{text:?}") } else { text }
}

/// Reads all processes, in the order of their ids. One that ends meanwhile is left out.
///
/// # Errors
/// If `/proc` of the target cannot be listed, or `/proc/uptime` read.
#[allow(clippy::implicit_hasher)]
pub async fn all(shim: &Shim, users: &Users, host: &HashMap<ContainerPid, HostPid>) -> Result<Vec<Process>, Error> {
    let uptime = uptime(shim).await?;
    let pids = pids(shim).await?;
    let read = fetch::each(pids, |pid| async move { raw(shim, pid, MAX_COMMAND).await.ok().flatten() }).await;
    Ok(read.into_iter().flatten().map(|raw| raw.process(users, host, uptime)).collect())
}

/// Reads one process.
///
/// # Errors
/// [`Error::NoProcess`] if there is none, or what else keeps it from being read.
pub async fn one(shim: &Shim, pid: ContainerPid, users: &Users, host: Option<HostPid>) -> Result<Process, Error> {
    let uptime = uptime(shim).await?;
    let path = fetch::proc_path(pid, "stat");
    match raw(shim, pid, super::process::MAX_ARGUMENTS).await {
        Ok(Some(raw)) => Ok(Process { host_pid: host, ..raw.process(users, &HashMap::new(), uptime) }),
        Ok(None) => Err(Error::NoProcess(pid)),
        Err(error) => Err(Error::of_process(pid, &path, error)),
    }
}

/// The ids of all processes inside, sorted, at most [`MAX_PROCESSES`].
///
/// # Errors
/// If `/proc` cannot be listed.
pub async fn pids(shim: &Shim) -> Result<Vec<ContainerPid>, Error> {
    let numbers = fetch::numbers(shim, b"/proc", MAX_PROCESSES).await;
    let numbers = numbers.map_err(|error| Error::of_directory(b"/proc", error))?;
    let pids = numbers.into_iter().filter(|&pid| pid > 0).map(ContainerPid);
    // What is of ours is none of the target's.
    Ok(pids.filter(|&pid| !shim.is_own(pid)).collect())
}

/// The time since boot, as the target sees it.
async fn uptime(shim: &Shim) -> Result<Duration, Error> {
    let path = b"/proc/uptime";
    let text = fetch::whole(shim, path, 4096).await.map_err(|error| Error::of(path, error))?;
    Ok(parse_uptime(&text).unwrap_or_default())
}

/// Parses `/proc/uptime` (proc_uptime(5)): seconds since boot with two decimals.
#[must_use]
pub fn parse_uptime(text: &[u8]) -> Option<Duration> {
    let seconds: f64 = fetch::decimal(fetch::words(text).next()?)?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Splits `/proc/PID/cmdline` (proc_pid_cmdline(5)) at its NULs. A process may have written anything over it.
#[must_use]
pub fn parse_cmdline(bytes: &[u8]) -> Vec<Untrusted> {
    let trimmed = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if trimmed.is_empty() {
        return if bytes.is_empty() { Vec::new() } else { vec![Untrusted::default()] };
    }
    trimmed.split(|&byte| byte == 0).map(Untrusted::from).collect()
}

/// The three files of a process, parsed.
struct Raw {
    pid: ContainerPid,
    stat: Stat,
    status: Status,
    command: Vec<Untrusted>,
}

/// `Ok(None)` if the files make no sense.
async fn raw(shim: &Shim, pid: ContainerPid, most: u64) -> Result<Option<Raw>, shim::Error> {
    let (stat, status, command) =
        (fetch::proc_path(pid, "stat"), fetch::proc_path(pid, "status"), fetch::proc_path(pid, "cmdline"));
    let (stat, status, command) = join3(
        fetch::whole(shim, &stat, MAX_STATUS),
        fetch::whole(shim, &status, MAX_STATUS),
        fetch::prefix(shim, &command, most),
    )
    .await;
    let (stat, status) = (stat?, status?);
    // A process that ended between the reads has no arguments any more; it is still worth a line.
    let command = command.map(|(bytes, _)| parse_cmdline(&bytes)).unwrap_or_default();
    Ok(stat::parse(&stat).map(|stat| Raw { pid, stat, status: stat::parse_status(&status), command }))
}

impl Raw {
    fn process(self, users: &Users, host: &HashMap<ContainerPid, HostPid>, uptime: Duration) -> Process {
        let cpu = ticks(self.stat.cpu_ticks);
        // A container may be shown a false uptime (lxcfs): then the age is 0, not negative.
        let age = uptime.saturating_sub(ticks(self.stat.start_ticks));
        let cpu_percent = if age.is_zero() { 0.0 } else { cpu.as_secs_f64() / age.as_secs_f64() * 100.0 };
        Process {
            pid: self.pid,
            host_pid: host.get(&self.pid).copied(),
            ppid: ContainerPid(self.stat.ppid),
            uid: self.status.uid,
            user: users.users.get(&self.status.uid).cloned(),
            state: self.stat.state,
            threads: self.stat.threads,
            rss: self.status.rss,
            cpu,
            age,
            cpu_percent: (cpu_percent * 10.0).round() / 10.0,
            start_ticks: self.stat.start_ticks,
            name: self.stat.name,
            command: self.command,
        }
    }
}

/// Clock ticks as a time.
fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(1000 / TICKS_PER_SECOND))
}

/// The share of one processor a process used between two readings `elapsed` apart, in percent: 200 is two whole
/// processors. `None` if they are not of the same process, or no time went by.
#[must_use]
pub fn cpu_between(old: &Process, new: &Process, elapsed: Duration) -> Option<f64> {
    let same = old.pid == new.pid && old.start_ticks == new.start_ticks;
    (same && !elapsed.is_zero()).then(|| new.cpu.saturating_sub(old.cpu).as_secs_f64() / elapsed.as_secs_f64() * 100.0)
}

#[cfg(test)]
#[allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.
mod tests {
    use super::*;

    fn process(cpu: u64, start_ticks: u64) -> Process {
        let raw = Raw {
            pid: ContainerPid(1),
            stat: Stat { cpu_ticks: cpu, start_ticks, ..Stat::default() },
            status: Status::default(),
            command: Vec::new(),
        };
        raw.process(&Users::default(), &HashMap::new(), Duration::from_secs(10))
    }

    #[test]
    fn shares_of_a_processor() {
        assert!((process(250, 500).cpu_percent - 50.0).abs() < 0.01);
        // A start after "now" gives age 0 and no share.
        assert_eq!((process(250, 2000).age, process(250, 2000).cpu_percent), (Duration::ZERO, 0.0));
        let second = Duration::from_secs(1);
        let share = |old: &Process, new: &Process, elapsed| cpu_between(old, new, elapsed).map(f64::round);
        assert_eq!(share(&process(100, 5), &process(250, 5), second), Some(150.0));
        assert_eq!(share(&process(100, 5), &process(50, 5), second), Some(0.0));
        assert_eq!(share(&process(100, 5), &process(250, 6), second), None);
        assert_eq!(share(&process(100, 5), &process(250, 5), Duration::ZERO), None);
        assert_eq!(process(u64::MAX, u64::MAX).age, Duration::ZERO);
    }

    #[test]
    fn command_lines() {
        for (bytes, line) in [
            (&b"/app\0--greet\0a b\0"[..], r#"/app --greet "a b""#),
            (b"", "[x]"),
            (b"\0", r#""""#),
            (b"nginx: master", r#""nginx: master""#),
            (b"a\0\0b\0", r#"a "" b"#),
            (b"\x1b[2J\0", r"\x1b[2J"),
        ] {
            let process = Process { name: "x".into(), command: parse_cmdline(bytes), ..process(0, 0) };
            assert_eq!(process.command_line(), line);
        }
    }

    #[test]
    fn uptimes() {
        assert_eq!(parse_uptime(b"1094.22 1947.87\n"), Some(Duration::from_millis(1_094_220)));
        for text in ["", "x", "-1 0", "nan", "inf", "1e300"] {
            assert_eq!(parse_uptime(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(text: Vec<u8>) {
            parse_cmdline(&text);
            parse_uptime(&text);
        }
    }
}
