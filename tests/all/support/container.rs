//! Containers that live as long as a test.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{process, thread};

use super::engine::{docker, inspect, is_podman, try_docker, try_podman};
use super::wait;

/// How long a log is followed before it is looked at as a whole.
const FOLLOWING: Duration = Duration::from_secs(5);

/// A container to be started.
pub struct Run {
    image: &'static str,
    flags: Vec<String>,
    command: Vec<String>,
    ready: Option<&'static str>,
    patience: Duration,
    /// The engine's command line: Podman's takes more flags than Docker's.
    engine: fn(&[&str]) -> Result<String, String>,
}

impl Run {
    /// The sample web server.
    pub fn shop() -> Self {
        Self::image("shop", &[], Some("\"shop open\""))
    }

    /// The sample web server with as few rights as can be, and a port that the host reaches.
    pub fn public_shop() -> Self {
        Self::shop().with_few_rights().flag("--publish=127.0.0.1::8080")
    }

    /// The same server, stripped.
    pub fn stripped() -> Self {
        Self::image("static", &[], Some("\"shop open\""))
    }

    /// The program that plays every part: `["plant", "/plant"]`. See `tests/fixtures/toolbox/main.go`.
    pub fn toolbox(part: &[&str]) -> Self {
        Self::image("toolbox", part, Some("ready"))
    }

    /// What listens where nobody outside can connect. See `tests/fixtures/ports/main.go`.
    pub fn ports() -> Self {
        let run = Self::image("ports", &[], Some("ready"));
        // Docker turns it off where there is no address of it, and with it the loopback's.
        let has_six = std::path::Path::new("/proc/sys/net/ipv6").exists();
        if has_six { run.flag("--sysctl=net.ipv6.conf.all.disable_ipv6=0") } else { run }
    }

    /// A container that has a shell.
    pub fn shell() -> Self {
        Self::image("shell", &[], Some("ready"))
    }

    /// A container of a C program with its library.
    pub fn dynamic() -> Self {
        Self::image("dynamic", &[], Some("ready"))
    }

    /// A container of a static C program: so many threads beside the first one, with values in their registers that are known.
    /// See `tests/fixtures/native/native.c`.
    pub fn native(words: &[&str]) -> Self {
        Self::image("native", words, Some("ready"))
    }

    /// A large Go program of Debian's, stripped, with C in it.
    pub fn etcd() -> Self {
        Self::image("etcd", &[], Some("serving insecure client requests"))
    }

    /// A container that attacks: `["peek"]`. See `tests/fixtures/attacker/attacker.h`.
    pub fn attacker(part: &[&str]) -> Self {
        Self::image("attacker", part, Some("ready"))
    }

    /// Run this in it, in place of what its image says.
    pub fn command(mut self, command: &[&str]) -> Self {
        self.command = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn image(image: &'static str, command: &[&str], ready: Option<&'static str>) -> Self {
        Self {
            image,
            flags: Vec::new(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            ready,
            patience: wait::PATIENCE,
            engine: try_docker,
        }
    }

    /// One more flag of `docker run`, as one word: `--memory=16m`.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// The strictest container there is.
    pub fn hardened(self) -> Self {
        self.with_few_rights().flag("--network=none")
    }

    fn with_few_rights(self) -> Self {
        let flags = ["--read-only", "--user=65532", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
        flags.into_iter().fold(self, Self::flag)
    }

    /// In a user namespace of its own, which Podman makes if it is told to.
    pub fn with_users_of_its_own(self) -> Self {
        ["--uidmap=0:1:65536", "--gidmap=0:1:65536"].into_iter().fold(self.by_podman(), Self::flag)
    }

    /// Made by Podman's own command line, where that is the engine.
    pub fn by_podman(mut self) -> Self {
        if is_podman() {
            self.engine = try_podman;
        }
        self
    }

    /// Keep every line it prints, even where the engine is set up to throw old ones away.
    pub fn with_whole_log(self) -> Self {
        ["--log-driver=json-file", "--log-opt=max-size=10g"].into_iter().fold(self, Self::flag)
    }

    /// Wait so long for it to be ready: it has much to do.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Do not wait until it says that it is ready: it never will.
    pub fn without_waiting(mut self) -> Self {
        self.ready = None;
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// If it does not start, or ends or stays silent before it is ready; with its log.
    pub fn start(self) -> Container {
        let (ready, patience) = (self.ready, self.patience);
        let container = self.make(&["run", "--detach"]).unwrap_or_else(|error| panic!("{error}"));
        if let Some(ready) = ready {
            container.wait_for_log_within(patience, ready);
        }
        container
    }

    /// Starts it, if the engine does not refuse; then with its words.
    pub fn try_start(self) -> Result<Container, String> {
        self.make(&["run", "--detach"])
    }

    /// Makes it and does not start it.
    ///
    /// # Panics
    /// If the engine refuses.
    pub fn create(self) -> Container {
        self.make(&["create"]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn make(self, verb: &[&str]) -> Result<Container, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scratchdbg-test-{}-{}-{count}", self.image, process::id());
        // scripts/test removes what a killed test left, and knows it by its owner.
        let owner = format!("scratchdbg-test.owner={}", process::id());
        let image = format!("scratchdbg-test/{}", self.image);
        let mut args = verb.to_vec();
        args.extend(["--name", &name, "--label", "scratchdbg-test=1", "--label", &owner]);
        args.extend(self.flags.iter().map(String::as_str));
        args.push(&image);
        args.extend(self.command.iter().map(String::as_str));
        let id = (self.engine)(&args).map_err(|error| format!("{}: {error}", args.join(" ")))?;
        Ok(Container { id, name, address: None })
    }
}

/// A running container; removed when dropped, if it is ours.
pub struct Container {
    id: String,
    name: String,
    /// Where its pod is reached, if it is a pod's.
    address: Option<String>,
}

impl Container {
    /// That of a pod, which somebody else looks after. Its pod is at this address, with a port.
    pub fn of_pod(id: String, name: &str, address: String) -> Self {
        Self { id, name: name.to_owned(), address: Some(address) }
    }

    /// Where its port 8080 is reached from this host.
    pub fn address(&self) -> String {
        self.address.clone().unwrap_or_else(|| docker(&["port", &self.id, "8080/tcp"]))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// `NAME:PATH`
    pub fn at(&self, path: &str) -> String {
        format!("{}:{path}", self.name)
    }

    /// The host's number of its first process.
    pub fn pid(&self) -> i32 {
        let pid = inspect(&self.id)["State"]["Pid"].as_i64().expect("a pid");
        assert!(pid > 0, "{} does not run", self.name);
        i32::try_from(pid).expect("a pid")
    }

    /// `running`, `paused`, `exited`, …
    pub fn state(&self) -> String {
        inspect(&self.id)["State"]["Status"].as_str().expect("a status").to_owned()
    }

    /// The last of what it has printed, both streams.
    pub fn logs(&self) -> String {
        let output = Command::new("docker").args(["logs", "--tail=1000", &self.id]).output().expect("docker logs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// What has changed in its filesystem since it was made.
    pub fn diff(&self) -> String {
        docker(&["diff", &self.id])
    }

    /// `docker stop`, `kill`, `pause`, `unpause`, `restart`, `start`.
    pub fn engine_does(&self, verb: &str) {
        docker(&[verb, &self.id]);
    }

    /// Waits until the engine says it is in this state.
    pub fn wait_for_state(&self, state: &str) {
        wait::until(&format!("{} to be {state}", self.name), || (self.state() == state).then_some(()));
    }

    /// Waits until a line with this text is in its log, among the last hundred or to come.
    pub fn wait_for_log(&self, text: &str) {
        self.wait_for_log_within(wait::PATIENCE, text);
    }

    /// As [`Self::wait_for_log`], with another deadline. Follows the log, so it is not asked again and again.
    pub fn wait_for_log_within(&self, patience: Duration, text: &str) {
        let end = Instant::now() + patience;
        let found = loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.follow(text, FOLLOWING.min(left)) {
                Ok(()) => break true,
                // Podman loses what is printed between reading the last lines and following on.
                Err(_) if self.logs().contains(text) => break true,
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(_) => break false,
            }
        };
        assert!(found, "{} never printed {text:?}; it printed:\n{}", self.name, self.logs());
    }

    fn follow(&self, text: &str, patience: Duration) -> Result<(), RecvTimeoutError> {
        let mut follower = Command::new("docker")
            .args(["logs", "--follow", "--tail=1000", &self.id])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker logs");
        let found = look_for(text, &mut follower, patience);
        let _ = follower.kill();
        let _ = follower.wait();
        found
    }
}

/// Waits until a line with this text comes.
fn look_for(text: &str, follower: &mut Child, patience: Duration) -> Result<(), RecvTimeoutError> {
    let (lines, inbox) = mpsc::channel();
    send_lines(follower.stdout.take().expect("a pipe"), lines.clone());
    send_lines(follower.stderr.take().expect("a pipe"), lines);
    let end = Instant::now() + patience;
    // Ends early, disconnected, when the container does.
    while !inbox.recv_timeout(end.saturating_duration_since(Instant::now()))?.contains(text) {}
    Ok(())
}

fn send_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.address.is_some() {
            return;
        }
        // By id: another test may have a container of the same name by now.
        if let Err(error) = try_docker(&["rm", "--force", "--volumes", &self.id]) {
            eprintln!("{} could not be removed: {error}", self.name);
        }
    }
}
