//! `tests/fixtures/goroutines`, built by a Go and running; and what it says of itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::command::run_within;
use crate::support::wait;

/// Building Go's library for another way of linking takes that long the first time.
const BUILDING: Duration = Duration::from_secs(300);

/// The cache that `scripts/setup` fills.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("scratchdbg")
}

/// The Go of the system.
pub fn go_of_this_host() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join("go")).find(|go| go.exists())
}

/// One that `scripts/setup matrix` brings.
pub fn go_of_setup(version: &str) -> PathBuf {
    cache().join("go").join(version).join("go/bin/go")
}

/// The program, running.
pub struct Program {
    folder: tempfile::TempDir,
    child: Child,
}

impl Program {
    /// Builds it with these flags and starts it with these arguments.
    pub fn start(go: &Path, flags: &[&str], args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        build(go, flags, &path);
        Self::run_in(folder, &path, args)
    }

    /// Starts one that was built.
    pub fn run(path: &Path, args: &[&str]) -> Self {
        Self::run_in(tempfile::tempdir().unwrap(), path, args)
    }

    fn run_in(folder: tempfile::TempDir, path: &Path, args: &[&str]) -> Self {
        let out = folder.path().join("out");
        let mut command = Command::new(path);
        command.arg(folder.path().join("socket")).args(args).stdin(Stdio::null()).stdout(File::create(&out).unwrap());
        // When it is made to end, it tells of the runtime's own goroutines and calls, too.
        command.env("GOTRACEBACK", "system").stderr(File::create(folder.path().join("last")).unwrap());
        let child = command.spawn().unwrap();
        let program = Self { folder, child };
        wait::until("the program to be ready", || fs::read_to_string(&out).unwrap().contains("ready").then_some(()));
        program
    }

    pub fn target(&self) -> String {
        format!("pid://{}", self.child.id())
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Asks it for one thing that it answers in a line.
    pub fn ask(&self, what: &str) -> String {
        let mut line = String::new();
        self.asked(what).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn asked(&self, what: &str) -> BufReader<UnixStream> {
        let mut socket = UnixStream::connect(self.folder.path().join("socket")).unwrap();
        socket.set_read_timeout(Some(wait::PATIENCE)).unwrap();
        writeln!(socket, "{what}").unwrap();
        BufReader::new(socket)
    }

    /// Ends it, and gives all that it says of its goroutines then.
    pub fn last_words(mut self) -> BTreeMap<u64, Told> {
        kill(Pid::from_raw(self.pid()), Signal::SIGQUIT).unwrap();
        self.child.wait().unwrap();
        Told::all(&fs::read_to_string(self.folder.path().join("last")).unwrap())
    }

    /// What it says its goroutines are, of the program's own and their calls.
    pub fn stacks(&self) -> BTreeMap<u64, Told> {
        let mut answer = self.asked("stacks");
        let mut length = String::new();
        answer.read_line(&mut length).unwrap();
        let mut text = vec![0; length.trim().parse().unwrap()];
        answer.read_exact(&mut text).unwrap();
        Told::all(&String::from_utf8(text).unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds it.
pub fn build(go: &Path, flags: &[&str], to: &Path) {
    let mut build = Command::new(go);
    build.args(["build", "-buildvcs=false", "-trimpath", "-o"]).arg(to).args(flags).arg(".");
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/goroutines"));
    for (name, value) in [("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off")] {
        build.env(name, value);
    }
    // The test's own may be of another Go.
    build.env_remove("GOROOT");
    run_within(BUILDING, build).ok();
}

/// A goroutine as somebody tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// What it does, or waits for.
    pub words: String,
    /// Its calls, innermost first: function, file and line.
    pub calls: Vec<(String, String)>,
    /// Who started it: function, file and line.
    pub created_by: Option<(String, String)>,
    /// Which goroutine did.
    pub parent: Option<u64>,
    /// Whether it stays on its thread.
    pub locked: bool,
}

impl Told {
    /// From the text of Go's own dumps, with or without what `GOTRACEBACK=system` adds.
    pub fn all(text: &str) -> BTreeMap<u64, Self> {
        text.split("\n\n").filter_map(|part| Self::one(part.trim())).collect()
    }

    fn one(text: &str) -> Option<(u64, Self)> {
        let mut lines = text.lines();
        let head = lines.next()?.strip_prefix("goroutine ")?;
        let id = head.split(' ').next()?.parse().ok()?;
        let inside = head.split_once('[')?.1.rsplit_once(']')?.0;
        let mut told = Self { locked: inside.contains("locked to thread"), ..Self::default() };
        told.words = inside.split(',').next()?.replace(" (scan)", "");
        while let Some(function) = lines.next() {
            // Go leaves some out in the middle, and says so in one line.
            if function.starts_with("...") || function.starts_with('\t') {
                continue;
            }
            let Some(at) = lines.next() else { break };
            let at = at.trim().split(' ').next()?.to_owned();
            match function.strip_prefix("created by ") {
                Some(creator) => {
                    let (name, parent) =
                        creator.split_once(" in goroutine ").map_or((creator, None), |(a, b)| (a, Some(b)));
                    told.created_by = Some((name.to_owned(), at));
                    told.parent = parent.and_then(|parent| parent.parse().ok());
                }
                None => told.calls.push((function[..function.rfind('(')?].to_owned(), at)),
            }
        }
        // 0 is no goroutine, but the thread that tells.
        (id != 0).then(|| (id, told.comparable()))
    }

    /// Without what everybody tells in another way.
    pub fn comparable(mut self) -> Self {
        // Nobody calls the first; it is where all of them end. What shows that finalizers run is not shown by every release.
        let unshown = ["runtime.goexit", "runtime.runfinq", "runtime.runFinalizers"];
        self.calls.retain(|(function, _)| !unshown.contains(&function.as_str()));
        for (function, _) in self.calls.iter_mut().filter(|(function, _)| function == "runtime.gopanic") {
            "panic".clone_into(function);
        }
        self
    }
}
