//! What it was measured on: figures without it say little.

use std::fs;

use crate::engine::try_docker;

/// Kernel, cores, engine and load, in one sentence.
pub fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let engine =
        try_docker(&["info", "--format", "Docker {{.ServerVersion}} ({{.Driver}}, cgroup v{{.CgroupVersion}})"])
            .unwrap_or_else(|_| "an unknown engine".to_owned());
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "Medians, taken in turns in one run. Linux {}, {} cores ({}), {engine}, load {load} at the end.",
        read("/proc/sys/kernel/osrelease"),
        cores,
        std::env::consts::ARCH,
    )
}
