//! The same pairings on a live process, as a person has them: the program in a container, the real command, its guard.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use scratchdbg::delve::client::{After, Resume, Stopped};
use scratchdbg::delve::find::Found;
use scratchdbg::delve::model::{Load, NewBreakpoint, Place, Scope};
use tokio::net::UnixStream;

use super::{runtime, shows_all, shows_what_a_stripped_one_has};
use crate::guarded::session::{Session, delve_of};
use crate::guarded::{changed_text, is_as_before};
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::support::process::status;

/// Called by the program all the time.
const HIT: &str = "main.price";

/// The program as the first process of a container with as few rights as can be.
pub fn container(program: &Path) -> Container {
    let volume = format!("--volume={}:/parked:ro", program.display());
    Run::toolbox(&[]).hardened().flag(&volume).flag("--entrypoint=/parked").start()
}

/// A debugger shows what it should, and the process is then as before.
pub fn works(container: &Container, dlv: &Found, flags: &[&str], stripped: bool) -> Result<(), String> {
    let mut session = Session::start(container, &[&["--dlv", dlv.path.to_str().unwrap()], flags].concat());
    // Of its own: its end is that of the connection, however far it came.
    let runtime = runtime();
    let shown = runtime.block_on(async {
        let stream = UnixStream::from_std(session.stream()).unwrap();
        let (client, _) = Stopped::open(stream).await.map_err(|error| error.to_string())?;
        shows(client, stripped).await
    });
    drop(runtime);
    is_as_before(container);
    let said = session.end();
    if shown.is_ok() {
        assert_eq!(said.contains("there will be no goroutines"), stripped, "{said}");
    }
    shown.map_err(|error| format!("{error}; {said}"))
}

/// What there is to see at a breakpoint that was hit.
async fn shows(client: Stopped, stripped: bool) -> Result<(), String> {
    let told = |error: scratchdbg::delve::client::Error| error.to_string();
    let hit = client.set_breakpoint(&NewBreakpoint::at(Place::Function(HIT.into()))).await.map_err(told)?;
    let after = client.resume(Resume::Continue).await.map_err(told)?.stopped().await.map_err(told)?;
    let After::Stopped(client, state) = after else { return Err(format!("no stop, but {after:?}")) };
    if state.hits().count() != 1 {
        return Err(format!("no breakpoint was hit: {state:?}"));
    }
    let stack = client.stack(None, 10, None).await.map_err(told)?;
    let calls = |name: &[u8]| stack.iter().position(|frame| frame.location.function.bytes() == name);
    // Of a stripped program Delve leaves out who has just called: it goes by frame pointers, which are not yet set.
    if calls(HIT.as_bytes()) != Some(0)
        || calls(b"main.main").is_none()
        || (!stripped && calls(b"main.tick") != Some(1))
    {
        return Err(format!("it stands in {stack:?}"));
    }
    if stripped {
        shows_what_a_stripped_one_has(&client).await?;
    } else {
        shows_all(&client).await?;
        let line = Place::Line { file: stack[1].location.file.lossy().into_owned(), line: stack[1].location.line };
        let at_line = client.set_breakpoint(&NewBreakpoint::at(line)).await.map_err(told)?;
        client.clear_breakpoint(at_line.id).await.map_err(told)?;
        let arguments = client.arguments(Scope::current(), Load::LINE).await.map_err(told)?;
        if !arguments.iter().any(|argument| argument.name.bytes() == b"order") {
            return Err(format!("no argument `order` in {arguments:?}"));
        }
    }
    client.clear_breakpoint(hit.id).await.map_err(told)?;
    client.detach().await.map_err(told)
}

/// It is refused, in these words, and nothing was done to the process: Delve was asked for its version and no more.
#[track_caller]
pub fn is_refused(container: &Container, dlv: &Found, flags: &[&str], said: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (witness, asked) = (witness(&folder, dlv), folder.path().join("asked"));
    let command = [&["dlv", container.name(), "--dlv", witness.to_str().unwrap()], flags].concat();
    scratchdbg(&command).fails_with(2, said);
    assert_eq!(fs::read_to_string(asked).unwrap(), "version\n");
    let pid = container.pid();
    assert_eq!((status(pid, "TracerPid"), delve_of(pid)), (vec!["0".to_owned()], None));
    assert!(changed_text(pid).is_empty());
}

/// A Delve that notes what it is asked.
fn witness(folder: &tempfile::TempDir, dlv: &Found) -> PathBuf {
    let (path, asked) = (folder.path().join("dlv"), folder.path().join("asked"));
    let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\nexec '{}' \"$@\"\n", asked.display(), dlv.path.display());
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}
