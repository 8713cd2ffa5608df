//! Programs that Go did not make: their threads, and a core of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use object::Endianness;
use object::elf::{FileHeader64, NT_AUXV, NT_FILE, NT_PRFPREG, NT_PRPSINFO, NT_PRSTATUS, PT_NOTE};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use crate::core::runs_on;
use crate::support::command::{run, scratchdbg};
use crate::support::container::Run;
use crate::support::residue::Residue;
use crate::{require_engine, require_gdb, require_root};

/// Threads beside the first one.
const WORKERS: u8 = 3;

/// The notes of a core: whose each is, of which kind, and what is in it.
fn notes(core: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let header = FileHeader64::<Endianness>::parse(core).unwrap();
    let endian = Endianness::Little;
    let parts = header.program_headers(endian, core).unwrap();
    let part = parts.iter().find(|part| part.p_type(endian) == PT_NOTE).unwrap();
    let (mut all, mut notes) = (Vec::new(), part.notes(endian, core).unwrap().unwrap());
    while let Some(note) = notes.next().unwrap() {
        let owner = String::from_utf8_lossy(note.name()).into_owned();
        all.push((owner, note.n_type(endian), note.desc().to_owned()));
    }
    all
}

#[test]
fn a_core_has_the_registers_of_every_thread() {
    require_engine!();
    require_root!();
    let container = Run::native(&[&WORKERS.to_string()]).hardened().start();
    let folder = tempfile::tempdir().unwrap();
    let core = folder.path().join("core");
    let before = Residue::of(&container).but_for_memory();
    let told = scratchdbg(&["core", container.name(), "-o", core.to_str().unwrap()]).ok();
    assert!(told.stderr.contains("not made by Go: open it with gdb or lldb"), "{}", told.stderr);
    runs_on(container.pid());
    before.assert_unchanged(&container);
    let notes = notes(&fs::read(&core).unwrap());
    // In the order of the kernel's own cores.
    let kinds: Vec<_> = notes.iter().map(|(owner, kind, _)| (owner.as_str(), *kind)).collect();
    let machine = if cfg!(target_arch = "x86_64") { object::elf::NT_X86_XSTATE } else { object::elf::NT_ARM_TLS };
    let thread = [("CORE", NT_PRFPREG), ("LINUX", machine)];
    let process = [("CORE", NT_PRSTATUS), ("CORE", NT_PRPSINFO), ("CORE", NT_AUXV), ("CORE", NT_FILE)];
    let mut expected = [&process[..], &thread].concat();
    for _ in 0..WORKERS {
        expected.extend([&process[..1], &thread].concat());
    }
    assert_eq!(kinds, expected);
    let of_kind = |kind| notes.iter().filter(move |note| note.1 == kind).map(|note| note.2.as_slice());
    // Vector register 0 has the thread's number in every byte, and register 1 100 more: in its upper half, too.
    let mut numbers: Vec<_> = if cfg!(target_arch = "x86_64") {
        let halves = of_kind(NT_PRFPREG).zip(of_kind(machine));
        let number = |(simple, extended): (&[u8], &[u8])| {
            let (number, vector) = (simple[160], |body: &[u8], at: usize, byte| body[at..at + 16] == [byte; 16]);
            assert!(vector(simple, 160, number) && vector(simple, 176, number + 100), "thread {number}");
            assert!(vector(extended, 160, number) && vector(extended, 176, number + 100), "thread {number}");
            let has_avx = extended[464] & 4 != 0;
            assert!(!has_avx || vector(extended, 576 + 16, number + 100), "thread {number}");
            number
        };
        halves.map(number).collect()
    } else {
        of_kind(NT_PRFPREG).map(|body| body[0]).collect()
    };
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=WORKERS).collect::<Vec<_>>());
    let file = of_kind(NT_FILE).next().unwrap();
    assert!(file.ends_with(b"/native\0"), "{}", String::from_utf8_lossy(file));
    // `pr_fpvalid`, the last word but one.
    let says_so = |status: &[u8]| status[status.len() - 8] == 1;
    assert!(of_kind(NT_PRSTATUS).all(says_so));
}

/// What gdb says of a core, to these commands.
#[track_caller]
fn gdb_says(program: &Path, core: &Path, commands: &[&str]) -> String {
    let mut command = Command::new("gdb");
    command.args(["-batch", "-nx"]).args(commands.iter().flat_map(|one| ["-ex", one])).args([program, core]);
    run({
        command.stdin(Stdio::null()).env("HOME", program.parent().unwrap()).env("TERM", "dumb");
        command
    })
    .ok()
    .text()
}

#[test]
fn a_core_opens_in_gdb() {
    require_engine!();
    require_root!();
    require_gdb!();
    let container = Run::native(&[&WORKERS.to_string()]).start();
    let folder = tempfile::tempdir().unwrap();
    let (core, program) = (folder.path().join("core"), folder.path().join("native"));
    scratchdbg(&["core", container.name(), "-o", core.to_str().unwrap()]).ok();
    scratchdbg(&["cp", &container.at("/native"), program.to_str().unwrap()]).quietly();
    let vector = if cfg!(target_arch = "x86_64") { "p $xmm0.uint128" } else { "p $v0.q.u[0]" };
    let said = gdb_says(&program, &core, &["thread apply all bt", &format!("thread apply all {vector}")]);
    let threads = usize::from(WORKERS) + 1;
    // Once more where gdb says what it looks at.
    assert_eq!(said.matches("in wait_with ()").count(), threads + 1, "{said}");
    assert_eq!(said.matches("in worker ()").count(), threads - 1, "{said}");
    // They are called as the C library calls them. By other numbers gdb would list each of them twice.
    let shown: BTreeSet<_> = said.split("(LWP ").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(shown.len() == threads && shown.contains("1"), "{said}");
    for number in 0..=WORKERS {
        let word = u128::from_le_bytes([number; 16]);
        assert!(said.contains(&format!(" = {word}\n")), "no {number} in its registers:\n{said}");
    }
}

#[test]
fn threads_are_seen_while_they_run() {
    require_engine!();
    require_root!();
    let container = Run::native(&[&WORKERS.to_string(), "runs"]).hardened().start();
    let before = Residue::of(&container).but_for_memory();
    let show = |flags: &[&str]| scratchdbg(&[&["threads", container.name(), "--json"], flags].concat()).ok();
    for door in ["local", "sidecar"] {
        let told = show(&["--via", door, "--read-only"]);
        let json = told.json();
        assert!(json["pid"] == 1 && json["host_pid"] == container.pid() && json["pause_ms"].is_null(), "{json:#}");
        let threads = json["threads"].as_array().unwrap();
        assert_eq!(threads.len(), usize::from(WORKERS) + 1, "{json:#}");
        // It runs, so that nobody can say where it is.
        assert!(threads[0]["state"] == "R" && threads[0]["spot"].is_null(), "{json:#}");
        assert!(told.stderr.contains("--registers, which stops it"), "{}", told.stderr);
        for (number, thread) in threads.iter().enumerate().skip(1) {
            assert_eq!(thread["name"], format!("worker-{number}"));
            assert_eq!(
                (&thread["spot"]["function"], &thread["spot"]["file"]),
                (&"wait_with".into(), &"/native".into())
            );
            assert!(cfg!(not(target_arch = "x86_64")) || thread["call"]["name"] == "pause", "{thread:#}");
            assert!(thread.get("registers").is_none(), "{thread:#}");
        }
        runs_on(container.pid());
    }
    let told = show(&["--registers"]);
    let json = told.json();
    assert!(json["pause_ms"].as_f64().is_some_and(|pause| pause > 0.0), "{json:#}");
    assert!(
        told.stderr.contains("4 threads stopped for about") && told.stderr.contains("stopped for "),
        "{}",
        told.stderr
    );
    let threads = json["threads"].as_array().unwrap();
    let functions: Vec<_> = threads.iter().map(|thread| &thread["spot"]["function"]).collect();
    assert_eq!(functions, ["spin", "wait_with", "wait_with", "wait_with"]);
    if cfg!(target_arch = "x86_64") {
        let registers = &threads[2]["registers"];
        assert_eq!(registers["rip"], threads[2]["spot"]["pc"]);
        assert_eq!(registers["rsp"], threads[2]["spot"]["sp"]);
        let has_avx = registers["ymm0"].is_string();
        let first = if has_avx { &registers["ymm1"] } else { &registers["xmm1"] };
        assert_eq!(*first, format!("0x{}", "66".repeat(if has_avx { 32 } else { 16 })), "{registers:#}");
    }
    runs_on(container.pid());
    before.assert_unchanged(&container);
}

#[test]
fn registers_are_not_had_for_nothing() {
    require_engine!();
    require_root!();
    let container = Run::native(&["1"]).start();
    let registers = |flags: &[&str]| scratchdbg(&[&["threads", container.name(), "--registers"], flags].concat());
    registers(&["--read-only"]).fails_with(2, &["--read-only forbids", "without --registers"]);
    registers(&["--pid", "999"]).fails_with(4, &["process 999", "has ended"]);
    scratchdbg(&["threads", container.name(), "--pid", "999"]).fails_with(1, &["no process 999"]);
    let ended = scratchdbg(&["threads", "pid://999999999", "--registers"]).ends_with(4);
    ended.is_safe_to_show();
    // Where they wait: a table of one line for each.
    let table = scratchdbg(&["threads", container.name()]).quietly().text();
    assert!(table.lines().count() == 3 && table.contains("worker-1") && table.contains("wait_with+0x"), "{table}");
}
