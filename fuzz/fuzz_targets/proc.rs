//! Every parser of the kernel's texts, and of what Delve and editors say. They come from inside a container, so they may be anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scratchdbg::entry::plan::IdMap;
use scratchdbg::inspect::network::{interfaces, resolver, routes, sockets};
use scratchdbg::inspect::process::{capabilities, environment, fds, limits, maps, mounts, security, status};
use scratchdbg::inspect::processes::{self, stat};
use scratchdbg::inspect::threads;
use scratchdbg::inspect::users::{self, Users};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the parser, so that the corpus tells them apart.
    let Some((&choice, text)) = data.split_first() else { return };
    // Delve has its own: with another divisor the corpus would mean something else.
    let choice = match choice {
        0xff => 22,
        0xfe => 23,
        0xfd => 24,
        0xfc => 25,
        0xfb => 26,
        0xfa => 27,
        0xf9 => 28,
        0xf8 => 29,
        0xf7 => 30,
        other => other % 22,
    };
    match choice {
        0 => drop(stat::parse(text)),
        1 => drop(stat::parse_status(text)),
        2 => drop(status::parse(text, &Users::default())),
        3 => drop(processes::parse_cmdline(text)),
        4 => drop(processes::parse_uptime(text)),
        5 => drop(environment::parse(text)),
        6 => drop(maps::parse(text)),
        7 => drop(mounts::parse(text)),
        8 => drop(limits::parse(text, &limits::Usage::default())),
        9 => drop(capabilities::parse(text)),
        10 => drop(security::parse(text, Some(text), Some(text))),
        11 => drop(sockets::parse_inet("tcp6", text)),
        12 => drop(sockets::parse_inet("tcp", text)),
        13 => drop(sockets::parse_unix(text)),
        14 => drop((routes::parse_v4(text), routes::parse_v6(text))),
        15 => drop((interfaces::parse(text, text, text, text), interfaces::parse_if_inet6(text))),
        16 => drop((resolver::parse_resolv(text), resolver::parse_hosts(text), resolver::parse_nsswitch(text))),
        17 => drop(users::parse(text)),
        18 => drop(IdMap::parse(text)),
        19 => scratchdbg::engine::process::fuzz(text),
        20 => drop(fds::Info::parse(text)),
        21 => scratchdbg::corefile::fuzz(text),
        22 => scratchdbg::delve::rpc::fuzz(text),
        23 => scratchdbg::delve::dap::fuzz(text, text.len() % 64),
        24 => scratchdbg::delve::relay::fuzz(text),
        25 => scratchdbg::delve::guard::fuzz(text),
        26 => scratchdbg::corefile::read::fuzz(text),
        27 => drop((threads::parse_place(text), threads::call::parse(text))),
        28 => scratchdbg::symbols::fuzz(text),
        29 => scratchdbg::goroutines::fuzz(text),
        _ => scratchdbg::entry::beside::wire::fuzz(text),
    }
});
