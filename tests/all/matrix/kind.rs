//! A kind of container: how it is made, and what is to be seen of it.

use crate::support::container::{Container, Run};

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
    /// Whether it is paused.
    pub paused: bool,
    /// Whether there are more processes to be seen than its own.
    pub many: bool,
}

impl Kind {
    /// The usual one.
    pub fn of(run: Run) -> Self {
        Self {
            container: run.start(),
            _other: None,
            program: "/toolbox",
            file: ("/etc/notes.txt", include_bytes!("../../fixtures/toolbox/notes.txt")),
            printed: "ready",
            image: "scratch: no shell",
            many: false,
            paused: false,
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
