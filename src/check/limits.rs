//! Does it know its limits? What the kernel holds it to, and whether its runtime minds that by itself.

use super::facts::{Facts, Running};
use super::finding::{Finding, Group, Kind};
use super::symbols::go;
use crate::inspect::files::human_size;

const GROUP: Group = Group::Limits;
/// The first Go that minds the quota of processors (runtime, `GOMAXPROCS`; go.dev/doc/go1.25).
const MINDS_QUOTA: u32 = 25;
/// The first Go with a limit of memory (runtime/debug, `SetMemoryLimit`).
const HAS_MEMORY_LIMIT: u32 = 19;
/// What a server needs at least: each connection is an open file.
const FEW_FILES: u64 = 1024;
/// Threads that Go's runtime has before the program has done anything.
const FEW_THREADS: u64 = 32;

/// All findings about limits.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let Some(running) = &facts.running else {
        let message = "limits are given where it is run: check the container";
        return vec![Finding::unknown(GROUP, "limits.given", message)];
    };
    let is_go = facts.elf().is_some_and(|elf| elf.go.is_some());
    let mut all = Vec::new();
    if is_go {
        all.push(processors(facts, running));
        all.push(memory(facts, running));
    }
    all.extend(files(running, is_go));
    all.extend(pids(running));
    all
}

fn processors(facts: &Facts, running: &Running) -> Finding {
    let id = "limits.cpu";
    let set =
        facts.variable("GOMAXPROCS").and_then(|value| value.lossy().parse::<u64>().ok()).filter(|&count| count > 0);
    let Some(quota) = running.milli_cpus else {
        let finding = Finding::ok(GROUP, id, "no quota of processors");
        return set
            .map_or(finding.clone(), |count| finding.with(Kind::Variable, format!("GOMAXPROCS={count}").as_str()));
    };
    #[allow(clippy::cast_precision_loss, reason = "for a person")]
    let words = format!("{} processors", quota as f64 / 1000.0);
    let whole = quota.div_ceil(1000).max(1);
    let with = |finding: Finding| finding.with(Kind::Kernel, format!("quota of {words}").as_str());
    let fix = format!("ENV GOMAXPROCS={whole}    # or build it with Go 1.25, or import _ \"go.uber.org/automaxprocs\"");
    if let Some(count) = set {
        let finding = if count > whole {
            let message = format!("GOMAXPROCS is {count}, and it may use {words}: it is held up whenever more run");
            Finding::warning(GROUP, id, message).fix(format!("ENV GOMAXPROCS={whole}"))
        } else {
            Finding::ok(GROUP, id, format!("GOMAXPROCS is {count} of {words}"))
        };
        return with(finding).with(Kind::Variable, format!("GOMAXPROCS={count}").as_str());
    }
    if let Some(symbol) = facts.linked_of(&go::AUTOMAXPROCS).first() {
        return with(Finding::ok(GROUP, id, format!("it minds its quota of {words} by automaxprocs")))
            .with(Kind::Symbol, *symbol);
    }
    // What it was built with holds where the environment does not say otherwise; the last of a name counts (internal/godebug).
    let debug = [facts.setting("DefaultGODEBUG"), facts.variable("GODEBUG")];
    let said = debug.into_iter().flatten().flat_map(|text| {
        let text = text.lossy().into_owned();
        text.split(',')
            .filter_map(|one| one.trim().strip_prefix("containermaxprocs=").map(str::to_owned))
            .collect::<Vec<_>>()
    });
    let off = said.last().is_some_and(|value| value == "0");
    let minds = facts.go().is_some_and(|go| go >= MINDS_QUOTA) && !off;
    if minds {
        return with(Finding::ok(GROUP, id, format!("Go minds its quota of {words} by itself")));
    }
    if running.processors.is_some_and(|count| count <= whole) {
        return with(Finding::ok(GROUP, id, format!("it may use {words}, and sees no more than that")));
    }
    let sees = running.processors.map_or_else(|| "all".to_owned(), |count| count.to_string());
    let why =
        if off { "is told not to mind it (containermaxprocs=0)" } else { "is older than 1.25 and does not mind it" };
    let message =
        format!("it may use {words}, runs on {sees}, and its Go {why}: it is held up for most of each period");
    with(Finding::warning(GROUP, id, message)).fix(fix)
}

/// A limit of memory as Go writes one (runtime, `parseByteCount`): bytes, or with B, KiB, MiB, GiB, TiB.
fn byte_count(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0)];
    let with_unit = units.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
    let (number, shift) = with_unit.unwrap_or((text, 0));
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn memory(facts: &Facts, running: &Running) -> Finding {
    let id = "limits.memory";
    let text = facts.variable("GOMEMLIMIT").map(|value| value.lossy().into_owned()).filter(|text| text != "off");
    let set = text.as_deref().and_then(byte_count);
    let collects = facts.variable("GOGC").is_none_or(|value| value.bytes() != b"off");
    let variables = |finding: Finding| {
        let mut finding = finding;
        for name in ["GOMEMLIMIT", "GOGC"] {
            if let Some(value) = facts.variable(name) {
                finding = finding.with(Kind::Variable, format!("{name}={}", value.lossy()).as_str());
            }
        }
        finding
    };
    let Some(limit) = running.memory else {
        if !collects && set.is_none() {
            let message = "GOGC is off, and nothing limits its memory: it grows until the host has none";
            return variables(Finding::warning(GROUP, id, message))
                .fix("ENV GOMEMLIMIT=256MiB    # or leave GOGC alone");
        }
        return variables(Finding::ok(GROUP, id, "no limit of memory"));
    };
    let words = human_size(limit);
    // A tenth less: what is not Go's heap takes some, too.
    let advice = format!("ENV GOMEMLIMIT={}MiB", (limit / 10 * 9) >> 20);
    let with = |finding: Finding| variables(finding.with_bytes(Kind::Kernel, "limit of memory", limit));
    match set {
        Some(set) if set > limit => {
            let message = format!("GOMEMLIMIT is {}, and it is killed at {words}", human_size(set));
            with(Finding::failure(GROUP, id, message)).fix(advice)
        }
        Some(set) => with(Finding::ok(GROUP, id, format!("GOMEMLIMIT is {} of {words}", human_size(set)))),
        None if text.is_some() => {
            let message = "GOMEMLIMIT is not written as Go reads it: the program ends when it begins";
            with(Finding::failure(GROUP, id, message)).fix(advice)
        }
        None => {
            if let Some(symbol) = facts.linked_of(&go::AUTOMEMLIMIT).first() {
                return with(Finding::ok(GROUP, id, format!("it may set its own limit below {words}")))
                    .with(Kind::Symbol, *symbol);
            }
            if facts.go().is_some_and(|go| go < HAS_MEMORY_LIMIT) {
                let message = format!("it is killed at {words}, and its Go knows no limit");
                return with(Finding::warning(GROUP, id, message))
                    .fix("build it with Go 1.19 or later, and set GOMEMLIMIT");
            }
            let message = format!("it is killed at {words}, and does not know: GOMEMLIMIT is not set");
            with(Finding::warning(GROUP, id, message)).fix(advice)
        }
    }
}

fn files(running: &Running, is_go: bool) -> Option<Finding> {
    let (soft, hard) = running.files?;
    // Go raises its own limit to the hard one since 1.19 (os, `rlimit.go`).
    let most = if is_go { hard } else { soft };
    let words = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let kernel = format!("open files: {} soft, {} hard", words(soft), words(hard));
    let with = |finding: Finding| finding.with(Kind::Kernel, kernel.as_str());
    let Some(most) = most else {
        return Some(with(Finding::ok(GROUP, "limits.files", "it may open any number of files")));
    };
    let fix = "docker run --ulimit nofile=65536:65536";
    let used = running.open_files.unwrap_or_default();
    if used.saturating_mul(10) >= most.saturating_mul(9) {
        let message = format!("{used} files are open of {most}: \"too many open files\" is near");
        return Some(with(Finding::failure(GROUP, "limits.files", message)).fix(fix));
    }
    if most < FEW_FILES {
        let message = format!("it may open {most} files: each connection is one");
        return Some(with(Finding::warning(GROUP, "limits.files", message)).fix(fix));
    }
    Some(with(Finding::ok(GROUP, "limits.files", format!("it may open {most} files"))))
}

fn pids(running: &Running) -> Option<Finding> {
    let id = "limits.pids";
    let Some(most) = running.pids else {
        return running.container.then(|| Finding::ok(GROUP, id, "no limit of processes and threads"));
    };
    let kernel = format!("processes and threads: {most}");
    let with = |finding: Finding| finding.with(Kind::Kernel, kernel.as_str());
    let used = running.threads.unwrap_or_default();
    let fix = format!("docker run --pids-limit {}", most.max(FEW_THREADS).saturating_mul(4));
    if used.saturating_mul(10) >= most.saturating_mul(9) {
        let message = format!("{used} threads run of {most}: \"failed to create new OS thread\" is near");
        return Some(with(Finding::failure(GROUP, id, message)).fix(fix));
    }
    if most < FEW_THREADS {
        let message = format!("it may have {most} threads, and Go makes one more whenever all wait for the kernel");
        return Some(with(Finding::warning(GROUP, id, message)).fix(fix));
    }
    Some(with(Finding::ok(GROUP, id, format!("it may have {most} processes and threads"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_go_writes_them() {
        for (text, bytes) in [
            ("1024", Some(1024)),
            ("10B", Some(10)),
            ("256MiB", Some(256 << 20)),
            ("1TiB", Some(1 << 40)),
            ("256M", None),
            ("", None),
            ("-1", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(byte_count(text), bytes, "{text}");
        }
    }
}
