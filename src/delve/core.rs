//! Delve over a core file. It needs no rights and touches no process.
//!
//! It listens in a folder that only we can enter, which goes as soon as we are connected, or, with a link to a debug file in
//! it, as soon as Delve has that open. It is tied to us: it ends with
//! us, and with the connection.

use std::ffi::OsString;
use std::hash::{BuildHasher as _, Hasher as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::client::{self, Stopped};
use super::debugfile::{self, DebugFile, USUAL};
use super::model::State;
use crate::exit::{Exit, Explain};
use crate::text::Safe;

/// How long Delve may take to listen. It does so before it reads the core.
const STARTING: Duration = Duration::from_secs(30);
/// How long it may take to end, once it has closed the connection.
const ENDING: Duration = Duration::from_secs(5);
/// Between two looks at what it has open.
const BREATH: Duration = Duration::from_millis(10);
/// How many bytes of what it complains about are kept.
const MOST_WORDS: usize = 8192;

/// Why a core cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its folder could not be made.
    #[error("a private folder for delve cannot be made in {}: {error}", dir.display())]
    Folder {
        /// Where.
        dir: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Delve could not be started.
    #[error("delve cannot be started: {0}")]
    Start(std::io::Error),
    /// Delve ended; its first words say why.
    #[error("delve could not open the core: {0}")]
    Ended(Safe),
    /// It does not get so far.
    #[error("delve did not listen within {} s", STARTING.as_secs())]
    Slow,
    /// What was asked first failed.
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ended(_) => {
                Some("The core must be of this very program, and Delve new enough for its Go.".to_owned())
            }
            Self::Client(error) => error.hint(),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        Exit::No
    }
}

/// A file for Delve.
#[derive(Debug)]
pub enum Source {
    /// By its path.
    Path(PathBuf),
    /// By a descriptor. Delve opens it anew, through `/proc/self/fd`, so the file itself must let this user read it.
    Open(OwnedFd),
}

/// What is to be opened.
#[derive(Debug)]
pub struct Order<'a> {
    /// Which Delve; see [`super::find`].
    pub dlv: &'a Path,
    /// The program that made the core.
    pub program: Source,
    /// The core.
    pub core: Source,
    /// What the program lacks.
    pub debug_file: Option<&'a DebugFile>,
}

/// A Delve that has a core open. Dropping it ends Delve.
#[derive(Debug)]
pub struct Opened {
    child: Child,
    words: Arc<Mutex<Vec<u8>>>,
    readers: [JoinHandle<()>; 2],
    /// Keeps the folder while Delve looks for a debug file in it.
    folder: Option<JoinHandle<()>>,
}

/// Opens a core.
///
/// # Errors
/// If Delve cannot be started, or cannot make sense of the two files.
pub async fn open(order: Order<'_>) -> Result<(Stopped, State, Opened), Error> {
    let (stream, mut opened) = connect(order).await?;
    match Stopped::open(stream).await {
        Ok((client, state)) => {
            if let Some(folder) = opened.folder.take() {
                folder.abort();
            }
            Ok((client, state, opened))
        }
        Err(client::Error::Gone) => Err(Error::Ended(opened.last_words().await)),
        Err(error) => Err(error.into()),
    }
}

/// Starts Delve on a core and connects to it. It speaks DAP or JSON-RPC, whichever is spoken to it first.
///
/// # Errors
/// If Delve cannot be started. What it thinks of the files it says later: see [`Opened::last_words`].
pub async fn connect(order: Order<'_>) -> Result<(UnixStream, Opened), Error> {
    let folder = Folder::make(order.debug_file)?;
    let socket = folder.0.join("s");
    let mut kept = Vec::new();
    let mut path = |source| match source {
        Source::Path(path) => path.into_os_string(),
        Source::Open(fd) => {
            let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
            kept.push(fd);
            OsString::from(path)
        }
    };
    let mut listen = OsString::from("--listen=unix:");
    listen.push(&socket);
    let mut command = Command::new(order.dlv);
    command.arg("core").arg(path(order.program)).arg(path(order.core)).arg(listen);
    command.args(["--headless", "--api-version=2", "--check-go-version=false"]);
    // No PATH: it has nobody to call. Its settings are read from the folder, which is gone when it would write there.
    command.env_clear().env("HOME", &folder.0).env("XDG_CONFIG_HOME", &folder.0).env("DEBUGINFOD_URLS", "");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).current_dir("/");
    crate::sys::tie(command.as_std_mut(), kept);
    let mut child = command.spawn().map_err(Error::Start)?;
    drop(command);

    let words = Arc::new(Mutex::new(Vec::new()));
    let (listening, told) = tokio::sync::oneshot::channel();
    let readers = [
        tokio::spawn(first_line(child.stdout.take(), listening)),
        tokio::spawn(keep(child.stderr.take(), Arc::clone(&words))),
    ];
    let linked = order.debug_file.filter(|file| file.directory().is_none());
    let mut opened = Opened { child, words, readers, folder: None };
    match timeout(STARTING, told).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return Err(Error::Ended(opened.last_words().await)),
        Err(_) => return Err(Error::Slow),
    }
    match UnixStream::connect(&socket).await {
        Ok(stream) => {
            if let (Some(file), Some(pid)) = (linked, opened.pid()) {
                let file = file.open().map_err(Error::Start)?;
                opened.folder = Some(tokio::spawn(until_opened(folder, pid, file)));
            }
            Ok((stream, opened))
        }
        Err(_) => Err(Error::Ended(opened.last_words().await)),
    }
}

impl Opened {
    /// What Delve complained about, when it is ending: the first line that says something.
    pub async fn last_words(&mut self) -> Safe {
        if timeout(ENDING, self.child.wait()).await.is_ok() {
            // What it wrote last is still on its way.
            drop(timeout(ENDING, &mut self.readers[1]).await);
        }
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let words = String::from_utf8_lossy(&words);
        let noise = |line: &&str| !line.trim().is_empty() && !line.starts_with("WARNING: undefined behavior");
        super::rpc::first_line(words.lines().find(noise).unwrap_or("it does not say why"))
    }

    /// Its process, on this host.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) {
        drop(self.child.wait().await);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // The process is killed and reaped by the runtime (`kill_on_drop`): it holds nobody.
        for task in self.readers.iter().chain(&self.folder) {
            task.abort();
        }
    }
}

/// Says that Delve listens; then reads on, so that it never waits for us.
async fn first_line(out: Option<impl AsyncRead + Unpin>, listening: tokio::sync::oneshot::Sender<()>) {
    let Some(out) = out else { return };
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    if (&mut out).take(4096).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) && line.ends_with(b"\n") {
        let _ = listening.send(());
    } else {
        return;
    }
    drop(tokio::io::copy(&mut out, &mut tokio::io::sink()).await);
}

/// Keeps the folder until Delve has found the debug file in it and has it open.
async fn until_opened(_folder: Folder, delve: u32, file: OwnedFd) {
    let identity = |file: rustix::fs::Stat| (file.st_dev, file.st_ino);
    let Ok(wanted) = rustix::fs::fstat(&file).map(identity) else { return };
    while let Ok(all) = std::fs::read_dir(format!("/proc/{delve}/fd")) {
        if all.flatten().any(|fd| rustix::fs::stat(fd.path()).is_ok_and(|open| identity(open) == wanted)) {
            return;
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn keep(from: Option<impl AsyncRead + Unpin>, words: Arc<Mutex<Vec<u8>>>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_WORDS.saturating_sub(words.len());
        words.extend_from_slice(&buffer[..read.min(room)]);
    }
}

/// A folder of our own. It goes when it is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make(debug_file: Option<&DebugFile>) -> Result<Self, Error> {
        // The name of a socket may have 108 bytes: a long TMPDIR is of no use here.
        let dir = Some(std::env::temp_dir()).filter(|dir| dir.as_os_str().len() < 60).unwrap_or_else(|| "/tmp".into());
        let failed = |error| Error::Folder { dir: dir.clone(), error };
        // Random enough: it must only not be there already, and making it fails if it is.
        let random = std::hash::RandomState::new().build_hasher().finish();
        let folder = Self(dir.join(format!("scratchdbg-dlv-{random:016x}")));
        let private = |path: &Path| std::fs::DirBuilder::new().mode(0o700).create(path);
        private(&folder.0).map_err(failed)?;
        private(&folder.0.join("dlv")).map_err(failed)?;
        let mut places = vec![PathBuf::from(USUAL)];
        match debug_file.map(|file| (file, file.directory())) {
            Some((_, Some(directory))) => places.insert(0, directory.to_owned()),
            Some((file, None)) => {
                file.link_into(&folder.0).map_err(failed)?;
                places.insert(0, folder.0.clone());
            }
            None => {}
        }
        std::fs::write(folder.0.join("dlv/config.yml"), debugfile::settings(&places)).map_err(failed)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that is called as Delve is.
    fn pretend(dir: &Path, script: &str) -> PathBuf {
        let path = dir.join("dlv");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// What a Delve that ends says last.
    async fn said(script: &str, core: Source) -> String {
        let dir = tempfile::tempdir().unwrap();
        let dlv = pretend(dir.path(), script);
        let order = Order { dlv: &dlv, program: Source::Path("/program".into()), core, debug_file: None };
        connect(order).await.expect_err("it listens nowhere").to_string()
    }

    #[tokio::test]
    async fn a_delve_that_ends_says_why() {
        let core = || Source::Path("/core".into());
        let words = "echo 'WARNING: undefined behavior - too old' >&2; printf 'no \\033[2J such core\\n' >&2; exit 1";
        assert_eq!(said(words, core()).await, "delve could not open the core: no \\x1b[2J such core");
        assert_eq!(said("exit 0", core()).await, "delve could not open the core: it does not say why");
        // It says that it listens, and does not.
        assert_eq!(said("echo listening; echo oh >&2", core()).await, "delve could not open the core: oh");
        // Its folder is private, it finds its settings there, and nothing of ours is in its environment.
        let words = r#"echo "$(stat -c %a "$HOME") $(cat "$XDG_CONFIG_HOME/dlv/config.yml") $# ${PATH-none}" >&2"#;
        let told = said(&format!("PATH=$PATH:/bin:/usr/bin; {words}"), core()).await;
        assert!(told.contains(r#"700 {"debug-info-directories":["/usr/lib/debug/.build-id"]} 7"#), "{told}");
        // A flood of complaints is read, and not kept.
        let flood = "i=0; while [ $i -lt 20000 ]; do echo complaint $i >&2; i=$((i+1)); done; exit 1";
        assert_eq!(said(flood, core()).await, "delve could not open the core: complaint 0");
    }

    #[tokio::test]
    async fn a_descriptor_is_given_to_delve_alone() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"what is in the core\n").unwrap();
        let told = said("PATH=/bin:/usr/bin; cat \"$3\" >&2", Source::Open(file.into())).await;
        assert_eq!(told, "delve could not open the core: what is in the core");
    }

    #[tokio::test]
    async fn it_ends_with_the_handle_and_its_folder_goes_before() {
        let dir = tempfile::tempdir().unwrap();
        // It listens through a link, since sh cannot: what matters is who ends it.
        let listener = std::os::unix::net::UnixListener::bind(dir.path().join("real")).unwrap();
        let script = format!(
            "PATH=/bin:/usr/bin; for a in \"$@\"; do case $a in --listen=unix:*) s=${{a#--listen=unix:}};; esac; done\n\
             ln -s '{}' \"$s\"; echo listening; echo \"$HOME\" > '{}'; exec sleep 600",
            dir.path().join("real").display(),
            dir.path().join("home").display()
        );
        let dlv = pretend(dir.path(), &script);
        let (program, core) = (Source::Path("/program".into()), Source::Path("/core".into()));
        let (_stream, opened) = connect(Order { dlv: &dlv, program, core, debug_file: None }).await.unwrap();
        drop(listener);
        let pid = opened.pid().unwrap();
        let home = loop {
            match std::fs::read_to_string(dir.path().join("home")) {
                Ok(home) if home.ends_with('\n') => break home,
                _ => tokio::task::yield_now().await,
            }
        };
        assert!(!Path::new(home.trim()).exists(), "its folder is still there");
        drop(opened);
        let gone = || !Path::new(&format!("/proc/{pid}")).exists();
        let ended = async {
            while !gone() {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(Duration::from_secs(20), ended).await.is_ok(), "it goes on");
    }

    #[test]
    fn it_ends_with_who_started_it() {
        let mut child = std::thread::spawn(|| {
            let mut command = std::process::Command::new("sleep");
            command.arg("20");
            crate::sys::tie(&mut command, Vec::new());
            command.spawn().unwrap()
        })
        .join()
        .unwrap();
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGKILL));
    }
}
