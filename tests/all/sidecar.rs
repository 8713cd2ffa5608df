//! The sidecar door: the same answers as through the local one, for who may use the engine and nothing more.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::powerless::{ends_in_time, freeze};
use crate::support::command::{BINARY, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::engine::{docker, inspect, try_docker};
use crate::support::pty::Terminal;
use crate::support::residue::Residue;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;
use crate::{require_engine, require_root};

/// What moves by itself between two looks: times, traffic, and how many processes there are.
pub fn still(mut value: Value) -> Value {
    fn still_in(value: &mut Value) {
        match value {
            Value::Object(map) => {
                let directory = map.get("kind").is_some_and(|kind| kind == "directory");
                for name in ["age_seconds", "cpu_percent", "cpu_seconds", "rss", "used", "bytes", "packets", "modified"]
                {
                    map.remove(name);
                }
                if directory {
                    map.remove("links");
                }
                map.values_mut().for_each(still_in);
            }
            Value::Array(list) => list.iter_mut().for_each(still_in),
            _ => {}
        }
    }
    still_in(&mut value);
    value
}

fn sees_the_same(container: &Container) {
    let member = Unprivileged::of_the_engines_group();
    let name = container.name();
    let (root, program) = (container.at("/"), container.at("/toolbox"));
    for args in [vec!["ps", name], vec!["net", name], vec!["ls", &root], vec!["ls", &program]] {
        let ours = member.runs(&[&args[..], &["--json"]].concat()).quietly().json();
        let theirs = scratchdbg(&[&args[..], &["--json", "--via", "local"]].concat()).quietly().json();
        assert_eq!(still(ours), still(theirs), "{args:?}");
    }
    let (ours, theirs) = (member.runs(&["cat", &program]).quietly(), scratchdbg(&["cat", &program]).quietly());
    assert!(ours.stdout == theirs.stdout && !ours.stdout.is_empty());
    // All of a process but what changes from look to look.
    let ours = still(member.runs(&["proc", name, "--json"]).quietly().json());
    let theirs = still(scratchdbg(&["proc", name, "--json", "--via", "local"]).quietly().json());
    for part in ["exe", "cwd", "root", "env", "fds", "limits", "mounts", "capabilities", "cgroups", "namespaces"] {
        assert_eq!(ours[part], theirs[part], "{part}");
    }
}

#[test]
fn a_member_of_the_engines_group_sees_what_root_sees() {
    require_engine!();
    require_root!();
    sees_the_same(&Run::toolbox(&["sleep"]).start());
    sees_the_same(&Run::toolbox(&["sleep"]).hardened().start());
    sees_the_same(&Run::toolbox(&["tree"]).flag("--user=1000:1000").start());
}

#[test]
fn what_it_cannot_do_is_said_with_the_door_that_can() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let name = container.name();
    let member = Unprivileged::of_the_engines_group();
    member.runs(&["ps", name, "--via", "local"]).fails_with(3, &["CAP_SYS_ADMIN", "sudo", "--via sidecar"]);
    let to = container.at("/tmp/x");
    member.runs(&["cp", "--write", "/etc/hostname", &to]).fails_with(3, &["only reads", "--via local"]);
    member.runs(&["ls", &container.at("/"), "--as", "1:1"]).fails_with(3, &["1:1", "--as target"]);
    assert_eq!(container.diff(), "");
}

#[test]
fn what_would_be_done_is_told_and_not_done() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().start();
    let name = container.name();
    let before = Residue::of(&container);
    let local = scratchdbg(&["attach", name, "--dry-run", "--json"]).quietly().json();
    assert_eq!((&local["door"], &local["uid"]), (&"local".into(), &65532.into()), "{local:#}");
    assert_eq!(local["host_pid"], container.pid());
    assert_eq!(local["keeps"], serde_json::json!([]));
    let joined: Vec<_> = local["namespaces"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(["mnt", "pid", "net"].iter().all(|kind| joined.contains(kind)), "{local:#}");

    let beside = Unprivileged::of_the_engines_group().runs(&["attach", name, "--dry-run"]).quietly().text();
    for words in ["door        sidecar: rights are missing", "looks as    65532:0", "import an image", "is removed"] {
        assert!(beside.contains(words), "no {words:?} in:\n{beside}");
    }
    let asked = scratchdbg(&["attach", name, "--dry-run", "--via", "sidecar", "--as", "root"]).quietly().text();
    assert!(asked.contains("keeps       CAP_SYS_PTRACE") && asked.contains("sidecar: asked for"), "{asked}");
    assert_eq!(scratchdbg(&["attach", "--dry-run"]).code(), 2);
    assert_eq!(made(&container), 0);
    before.assert_unchanged(&container);
}

#[test]
fn a_list_starts_nothing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = made(&container);
    let list = Unprivileged::of_the_engines_group().runs(&["list", "--json"]).quietly().json();
    let this = list["containers"].as_array().unwrap().iter().find(|one| one["id"] == container.id()).unwrap().clone();
    assert_eq!((&this["state"], &this["kind"]), (&Value::from("running"), &Value::Null));
    assert_eq!(made(&container), before);
}

/// How many containers have been made beside this one, as the engine remembers.
fn made(container: &Container) -> usize {
    let filter = format!("label=io.scratchdbg.target={}", container.id());
    docker(&["events", "--since=10m", "--until=0s", "--filter", &filter, "--filter", "event=create"]).lines().count()
}

/// The sidecars beside this one.
fn sidecars(container: &Container) -> Vec<String> {
    let filter = format!("label=io.scratchdbg.target={}", container.id());
    docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter]).lines().map(str::to_owned).collect()
}

/// A screen through a sidecar, and the sidecar.
fn attached(container: &Container) -> (Terminal, String) {
    let terminal = Terminal::scratchdbg(&["attach", container.name(), "--via", "sidecar"]);
    terminal.wait_for("scratch: no shell");
    let all = sidecars(container);
    assert_eq!(all.len(), 1, "{all:?}");
    (terminal, all[0].clone())
}

#[test]
fn a_sidecar_has_no_more_rights_than_it_needs() {
    require_engine!();
    for (run, user, capabilities, effective) in [
        (Run::toolbox(&["sleep"]), "0:0", &["SYS_PTRACE"][..], "0000000000080000"),
        (Run::toolbox(&["sleep"]).hardened(), "65532:0", &[], "0000000000000000"),
    ] {
        let container = run.start();
        let (terminal, id) = attached(&container);
        let made = inspect(&id);
        let host = &made["HostConfig"];
        assert_eq!(made["Config"]["User"], user);
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
        let added: Vec<_> = host["CapAdd"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(added, capabilities);
        assert_eq!((&host["ReadonlyRootfs"], &host["AutoRemove"]), (&true.into(), &true.into()));
        assert_eq!((&host["LogConfig"]["Type"], &host["Privileged"]), (&"none".into(), &false.into()));
        assert_eq!(host["SecurityOpt"], serde_json::json!(["no-new-privileges"]));
        // And what the kernel says of it.
        let status = fs::read_to_string(format!("/proc/{}/status", made["State"]["Pid"])).unwrap();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        for set in ["CapEff:", "CapPrm:"] {
            assert_eq!(field(set), effective, "{set}");
        }
        assert_eq!((field("CapInh:"), field("CapAmb:")), ("0".repeat(16), "0".repeat(16)));
        assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1".to_owned(), "2".to_owned()));
        drop(terminal);
    }
}

/// Whether a program in this container, as its root, reads these files of a process it sees.
fn reads(container: &Container, pid: &str) -> Vec<bool> {
    let one = |file: &str| try_docker(&["exec", container.id(), "cat", &format!("/proc/{pid}/{file}")]).is_ok();
    ["environ", "maps", "fdinfo/0"].map(one).to_vec()
}

#[test]
fn a_root_inside_cannot_look_into_a_sidecar() {
    require_engine!();
    let container = Run::shell().start();
    // What any other container beside it gives away.
    let beside = format!("--pid=container:{}", container.id());
    let other = Run::shell().flag(&beside).start();
    let seen_from = |id: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", inspect(id)["State"]["Pid"])).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
        line.split_whitespace().next_back().unwrap().to_owned()
    };
    assert_eq!(
        reads(&container, &seen_from(other.id())),
        [true; 3],
        "the attack works where nothing is done against it"
    );

    let terminal = Terminal::scratchdbg(&["attach", container.name(), "--via", "sidecar"]);
    terminal.wait_for("a shell");
    let helper = seen_from(&sidecars(&container)[0]);
    assert_eq!(reads(&container, &helper), [false; 3]);
}

#[test]
fn who_is_killed_leaves_nothing_beside_it() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGHUP] {
        let (terminal, _) = attached(&container);
        terminal.signal(signal);
        drop(terminal);
        before.assert_unchanged(&container);
    }
    // The sidecar itself: the screen says so, and finds its way back.
    let (mut terminal, sidecar) = attached(&container);
    docker(&["kill", &sidecar]);
    terminal.wait_for("connected again");
    assert_ne!(sidecars(&container), [sidecar]);
    terminal.press("q");
    assert!(terminal.wait_exit().success());
    before.assert_unchanged(&container);
}

#[test]
fn who_waits_for_our_end_keeps_nothing_that_we_were_given() {
    // As flock(1) gives its lock: a descriptor that nobody closes on exec. Here it is the end of a pipe.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" undertaker nobody 7>&1 >/dev/null", BINARY]);
    let mut waiting = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut kept = waiting.stdout.take().unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(kept.read_to_end(&mut Vec::new()).is_ok()));
    assert_eq!(told.recv_timeout(wait::PATIENCE), Ok(true), "it keeps what it was given");
    assert!(waiting.try_wait().unwrap().is_none(), "it has not waited");
    waiting.stdin.take().unwrap().write_all(b".").unwrap();
    assert!(waiting.wait().unwrap().success());
}

#[test]
fn a_target_ends_as_fast_as_ever() {
    require_engine!();
    require_root!();
    // Not even a screen or a sidecar that does nothing any more can keep it.
    for (ending, frozen) in [(&["kill"][..], false), (&["stop"], true), (&["kill"], true), (&["rm", "--force"], true)] {
        let container = Run::toolbox(&["sleep"]).start();
        let (terminal, sidecar) = attached(&container);
        if frozen {
            freeze(terminal.pid());
            freeze(i32::try_from(inspect(&sidecar)["State"]["Pid"].as_i64().unwrap()).unwrap());
        }
        ends_in_time(&container, ending);
        if ending[0] != "rm" {
            container.wait_for_state("exited");
        }
        wait::until("the sidecar to go with it", || sidecars(&container).is_empty().then_some(()));
        terminal.signal(Signal::SIGCONT);
        terminal.wait_for(if ending[0] == "rm" { "there is no container" } else { "EXITED" });
        if ending[0] == "stop" {
            container.engine_does("start");
            terminal.wait_for("connected again");
        }
    }
}
