//! A large program that others wrote and built: Debian's etcd, stripped, linked to C's library, with goroutines of gRPC, raft and
//! a database. It serves meanwhile.

use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::{require_engine, require_root};

#[test]
fn a_large_program_of_debians() {
    require_root!();
    require_engine!();
    let etcd = Run::etcd().start();
    for door in ["local", "sidecar"] {
        for _ in 0..5 {
            let ended =
                scratchdbg(&["goroutines", etcd.name(), "--via", door, "--as", "root", "--runtime", "--json"]).ok();
            let document = ended.json();
            let groups = document["groups"].as_array().unwrap();
            let count: u64 = groups.iter().map(|group| group["count"].as_u64().unwrap()).sum();
            assert!(count > 30, "{door}: {count}");
            let stacks = groups.iter().filter_map(|group| group["stack"].as_array());
            let ends: Vec<_> =
                stacks.map(|stack| stack.last().unwrap()["function"].as_str().unwrap().to_owned()).collect();
            assert!(ends.iter().any(|name| name == "runtime.main"), "{door}: {ends:?}");
            let of = |part: &str| ends.iter().filter(|name| name.contains(part)).count();
            assert!(of("etcd") > 5 && of("0x") == 0, "{door}: {ends:?}");
            assert_eq!((&document["unreadable"], &document["left_out"]), (&0.into(), &0.into()), "{door}");
            assert!(document["runtime"]["gc_cycles"].as_u64().is_some() && document["runtime"]["heap_goal"].is_u64());
        }
    }
}
