//! A kind of container: how it is made, and what is to be seen of it.

use std::{env, fs};

use crate::support::container::{Container, Run};
use crate::support::engine::{inspect, try_docker};
use crate::support::process::read;
use crate::support::wait;

/// One that runs.
pub struct Kind {
    pub container: Container,
    /// What it leans on. Dropped after it.
    _other: Option<Container>,
    /// The program its first process runs, which is also a file in it.
    pub program: &'static str,
    /// A file, and what is in it; empty if that changes from build to build.
    pub file: (&'static str, &'static [u8]),
    /// What it has printed.
    pub printed: &'static str,
    /// What the screen says of its image.
    pub image: &'static str,
    /// Whether it may trace other processes.
    pub traces: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether there are more processes to be seen than its own.
    pub many: bool,
}

impl Kind {
    /// The usual one.
    pub fn of(run: Run) -> Self {
        Self::around(run.start())
    }

    fn around(container: Container) -> Self {
        Self {
            container,
            _other: None,
            program: "/toolbox",
            file: ("/etc/notes.txt", include_bytes!("../../fixtures/toolbox/notes.txt")),
            printed: "ready",
            image: "scratch: no shell",
            many: false,
            paused: false,
            traces: false,
        }
    }

    /// One that shares something of another: `--pid`, `--network`.
    pub fn beside(other: Run, flag: &str, run: Run) -> Self {
        let other = other.start();
        let kind = Self::of(run.flag(&format!("{flag}=container:{}", other.id())));
        Self { _other: Some(other), ..kind }
    }

    pub fn with_many_processes(self) -> Self {
        Self { many: true, ..self }
    }

    pub fn that_traces(self) -> Self {
        Self { traces: true, ..self }
    }

    pub fn paused(self) -> Self {
        self.container.engine_does("pause");
        Self { paused: true, ..self }
    }

    pub fn of_shop(self) -> Self {
        Self { program: "/shop", file: ("/shop", b""), printed: "shop open", ..self }
    }

    pub fn of_busybox(self) -> Self {
        let file = ("/wait.sh", include_bytes!("../../fixtures/shell/wait.sh").as_slice());
        Self { program: "/bin/busybox", file, printed: "", image: "a shell", ..self }
    }

    pub fn of_c(self) -> Self {
        Self { program: "/wait", file: ("/wait", b""), image: "distroless", ..self }
    }
}

/// Asserts that there is no such container on this engine, with these words.
pub fn that_is_refused(how: fn(Run) -> Run, words: &'static str) -> &'static str {
    let refused = how(Run::toolbox(&["sleep"])).try_start().map(|_| ()).expect_err("there is one");
    assert!(refused.contains(words), "no {words:?} in: {refused}");
    words
}

/// Asserts that the engine passes limits over, and says so where it says such things.
pub fn that_is_not_limited(words: &'static str) -> &'static str {
    let container = Run::toolbox(&["sleep"]).flag("--pids-limit=1").flag("--memory=16m").start();
    let host = inspect(container.id())["HostConfig"].clone();
    assert_eq!((&host["PidsLimit"], &host["Memory"]), (&0.into(), &0.into()), "there are limits");
    let log = env::var("SCRATCHDBG_ENGINE_LOG").expect("scripts/with-podman says where the engine's log is");
    let log = fs::read_to_string(log).expect("the engine's log");
    assert!(log.contains(words), "no {words:?} in:\n{log}");
    words
}

/// Asserts that the engine does not pause, with these words.
pub fn that_is_not_paused(words: &'static str) -> &'static str {
    let container = Run::toolbox(&["sleep"]).start();
    let refused = try_docker(&["pause", container.id()]).expect_err("it is paused");
    assert!(refused.contains(words), "no {words:?} in: {refused}");
    words
}

/// One that may have a single process, and little memory for it.
///
/// `runc` starts it from inside the same limit, with a program that wants threads: that fails at times, and then the
/// container has ended before it began.
pub fn of_one_process() -> Kind {
    for _ in 0..20 {
        let flags = ["--entrypoint=/bin/sleep", "--pids-limit=1", "--memory=16m"];
        let run = flags.into_iter().fold(Run::shell(), Run::flag).command(&["86400"]).without_waiting();
        let container = run.start();
        let runs = wait::until("it to run its program, or to have ended", || {
            let state = inspect(container.id())["State"].clone();
            match state["Status"].as_str() {
                Some("running") => (read(format!("/proc/{}/comm", state["Pid"])).trim() == "sleep").then_some(true),
                Some("exited") => Some(false),
                _ => None,
            }
        });
        if runs {
            return Kind::around(container).of_busybox();
        }
    }
    panic!("it was started twenty times and never ran");
}
