//! What can be typed about debugging: what stops a process.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::pid;
use crate::delve::dap::proxy::PathRule;
use crate::delve::listen::Address;
use crate::target::{ContainerPid, TargetName};

/// `core`
#[derive(Debug, Args)]
pub struct Core {
    /// Container, or `pid://N`.
    pub target: TargetName,
    /// The file to write. It is for your eyes only: all that the process had in memory is in it.
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub output: Option<PathBuf>,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// How long it may be stopped at most; what is not copied by then is left out.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub pause: Duration,
    /// How much memory is taken at most: 512M, 4G; otherwise half of what this host has to spare.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub most: Option<u64>,
    /// Say how much there is to be taken, and how long that would stop it, and do nothing.
    #[arg(long, conflicts_with = "output")]
    pub dry_run: bool,
}

/// `threads`
#[derive(Debug, Args)]
pub struct Threads {
    /// Container, or `pid://N`.
    pub target: TargetName,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// Stop it for about a millisecond, and show where those are, too, that run; with --json, all registers. Otherwise it is
    /// not stopped, and the kernel tells of those that wait.
    #[arg(long)]
    pub registers: bool,
}

/// `dlv`
#[derive(Debug, Args)]
pub struct Dlv {
    /// Container, or `pid://N`.
    pub target: TargetName,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// How long it may stand still at a time. Then it is let go.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub pause: Duration,
    /// Let it stand still for as long as somebody debugs it.
    #[arg(long, conflicts_with = "pause")]
    pub no_limit: bool,
    /// Which dlv; otherwise the newest there is. In a pod it is that of the image, but for --snapshot.
    #[arg(long, value_name = "FILE")]
    pub dlv: Option<PathBuf>,
    /// What was stripped from the program: a debug file, or the program as it was before; of the very same build.
    #[arg(long, value_name = "FILE")]
    pub debug_file: Option<PathBuf>,
    /// A folder with `.build-id/ab/cdef.debug`, to look for a debug file in. May be given again.
    #[arg(long, value_name = "DIR")]
    pub debug_dir: Vec<PathBuf>,
    /// Let a client end the process. Otherwise it is let go.
    #[arg(long)]
    pub may_kill: bool,
    /// Let a client call functions in it; stopped in the midst of one, it does not survive the end.
    #[arg(long)]
    pub may_call: bool,
    /// Speak DAP, as editors do: VS Code, nvim-dap and others.
    #[arg(long)]
    pub dap: bool,
    /// On a snapshot that is taken now: the process itself runs on after some milliseconds.
    #[arg(long, conflicts_with_all = ["pause", "no_limit"])]
    pub snapshot: bool,
    /// Where clients connect: HOST:PORT (port 0: any that is free), or `unix:PATH`; otherwise 127.0.0.1:0 for editors, and an
    /// address without a file for `dlv connect`.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<Address>,
    /// Sources are here, and the program names them so (a folder or an import path); may be given again.
    #[arg(long = "path-map", requires = "dap", value_name = "LOCAL=INBINARY", value_parser = path_rule)]
    pub path_map: Vec<PathRule>,
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(str::to_owned)
}

fn path_rule(text: &str) -> Result<PathRule, String> {
    let wrong = || "write it as LOCAL=INBINARY: /home/me/shop=example.com/shop".to_owned();
    let (local, binary) = text.split_once('=').filter(|(local, _)| !local.is_empty()).ok_or_else(wrong)?;
    // Editors know their files by absolute paths.
    let local = std::path::absolute(local).map_err(|_| wrong())?.to_str().ok_or_else(wrong)?.to_owned();
    Ok(PathRule { local, binary: binary.to_owned() })
}

/// Bytes, or as many of `K`, `M`, `G`.
fn size(text: &str) -> Result<u64, String> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let with_unit = units.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
    let (number, shift) = with_unit.unwrap_or((text, 0));
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| "write it as 512M or 4G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!((size("1"), size("3K"), size("512M"), size("4G")), (Ok(1), Ok(3 << 10), Ok(512 << 20), Ok(4 << 30)));
        for bad in ["", "0", "-1", "M", "1T", "18446744073709551615G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
