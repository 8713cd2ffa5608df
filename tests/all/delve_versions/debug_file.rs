//! A stripped program and a file with what was stripped from it: all is there, live and over a core. A file of another build
//! is refused before anything is touched.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scratchdbg::delve::client::Stopped;
use scratchdbg::delve::core::{self, Order, Source};
use scratchdbg::delve::debugfile::{self, Wanted};
use scratchdbg::delve::find::Found;
use scratchdbg::golang::debuginfo;

use super::live::{self, is_refused};
use super::{Parked, delves, folders, go_on_path, of_setup, shows_all};
use crate::guarded::is_as_before;
use crate::support::command::{binary, run, scratchdbg};
use crate::support::pty::{Setup, key};
use crate::support::unprivileged::NOBODY;
use crate::support::{skip, wait};
use crate::{require_engine, require_root};

/// A program that was stripped after it was built, and what was stripped from it.
struct Cut {
    parked: Parked,
}

impl Cut {
    /// `None` where there is no such Go or no objcopy.
    fn new(go: &Path) -> Option<Self> {
        let objcopy = Command::new("objcopy").arg("--version").output().is_ok_and(|output| output.status.success());
        let missing = (!objcopy).then_some("there is no objcopy");
        let missing = missing.or_else(|| (!go.exists()).then_some("there is no such Go: scripts/setup matrix"));
        if !skip::go_on(missing.map(str::to_owned)) {
            return None;
        }
        let cut = Self { parked: Parked::start(go, false) };
        cut.objcopy("--only-keep-debug", &cut.parked.program(), &cut.file());
        cut.objcopy("--strip-all", &cut.parked.program(), &cut.stripped());
        Some(cut)
    }

    fn objcopy(&self, what: &str, from: &Path, to: &Path) {
        let mut command = Command::new("objcopy");
        command.arg(what).args([from, to]).current_dir(self.parked.folder.path()).stdin(Stdio::null());
        run(command).ok();
    }

    fn file(&self) -> PathBuf {
        self.parked.folder.path().join("parked.debug")
    }

    fn stripped(&self) -> PathBuf {
        self.parked.folder.path().join("parked.stripped")
    }

    fn build_id(&self) -> String {
        let file = File::open(self.stripped()).unwrap();
        super::runtime().block_on(debuginfo::of_file(&file, 0)).unwrap().build_id.unwrap().to_string()
    }

    /// A folder of debug files that has this one.
    fn directory(&self) -> PathBuf {
        let (directory, id) = (self.parked.folder.path().join("debug"), self.build_id());
        let place = directory.join(".build-id").join(&id[..2]);
        fs::create_dir_all(&place).unwrap();
        fs::copy(self.file(), place.join(format!("{}.debug", &id[2..]))).unwrap();
        directory
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two of different builds, and the newest Delve.
fn two() -> Option<(Cut, Cut, Found)> {
    let dlv = delves().pop()?;
    Some((Cut::new(&of_setup("1.27.3"))?, Cut::new(&of_setup("1.24.11"))?, dlv))
}

#[test]
fn with_a_debug_file_a_stripped_process_has_it_all() {
    require_root!();
    require_engine!();
    let Some((cut, _, dlv)) = two() else { return };
    let container = live::container(&cut.stripped());
    let (file, program, directory) = (cut.file(), cut.parked.program(), cut.directory());
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(live::works(&container, &dlv, &[], true), Ok(()), "without one");
    for flags in [
        &["--debug-file", text(&file)][..],
        // As it was before.
        &["--debug-file", text(&program)],
        &["--debug-dir", text(empty.path()), "--debug-dir", text(&directory)],
        &["--debug-file", text(&file), "--via", "sidecar"],
    ] {
        assert_eq!(live::works(&container, &dlv, flags, false), Ok(()), "{flags:?}");
    }
}

#[test]
fn the_screen_takes_a_debug_file() {
    require_root!();
    require_engine!();
    let Some((cut, another, dlv)) = two() else { return };
    let container = live::container(&cut.stripped());
    let setup = Setup::scratchdbg(&["attach", container.name()]).size(150, 45);
    let mut terminal = setup.env("SCRATCHDBG_DLV", text(&dlv.path)).start();
    terminal.wait_for("RUNNING");
    terminal.press("7");
    terminal.wait_for("takes a snapshot");
    for (name, words) in [(another.file(), "is of another build"), ("/nowhere".into(), "cannot be opened")] {
        terminal.press(&format!(":debugfile {}\r", name.display()));
        terminal.wait_for(words);
        // Nothing is done with it.
        terminal.press("s");
        terminal.wait_for("it cannot be had");
    }
    terminal.press(&format!(":debugfile {}\r", cut.file().display()));
    terminal.wait_for("What was stripped from the program is in");
    terminal.press("sy");
    terminal.wait_for("SNAPSHOT ");
    terminal.wait_for("Stack of goroutine");
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.press("y");
    terminal.wait_for("of 00:30, attached");
    terminal.wait_for("Stack of goroutine");
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    is_as_before(&container);
}

#[test]
fn a_debug_file_of_another_build_is_refused() {
    require_root!();
    require_engine!();
    let Some((cut, another, dlv)) = two() else { return };
    let container = live::container(&cut.stripped());
    let (file, bare, directory) = (another.file(), cut.stripped(), another.directory());
    let (ours, theirs) = (cut.build_id(), another.build_id());
    assert_ne!(ours, theirs);
    let fifo = cut.parked.folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let of_another = format!("is of another build: its build id is {theirs}, the program's is {ours}");
    let nowhere = format!("there is no debug file for the build id {ours}");
    for (flags, words) in [
        (["--debug-file", text(&file)], of_another.as_str()),
        (["--debug-file", text(&bare)], "has no debug information"),
        (["--debug-file", "/etc/hostname"], "it is no ELF file"),
        (["--debug-file", text(&fifo)], "it is no regular file"),
        (["--debug-file", "/nowhere"], "cannot be opened: No such file"),
        (["--debug-dir", text(&directory)], &nowhere),
    ] {
        is_refused(&container, &dlv, &flags, &[words]);
    }
    // It lies where it should not.
    let id = PathBuf::from(&ours[..2]).join(format!("{}.debug", &ours[2..]));
    let place = directory.join(".build-id").join(id);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(&file, place).unwrap();
    is_refused(&container, &dlv, &["--debug-dir", text(&directory)], &[&of_another]);
}

#[test]
fn under_sudo_it_is_read_as_the_user() {
    require_root!();
    require_engine!();
    let Some((cut, _, dlv)) = two() else { return };
    let container = live::container(&cut.stripped());
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (program, file) = (folder.path().join("dlv"), folder.path().join("parked.debug"));
    fs::copy(&dlv.path, &program).unwrap();
    fs::copy(cut.file(), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command =
        binary(&["dlv", container.name(), "--dlv", text(&program), "--debug-file", text(&file), "--via", "local"]);
    command.env("SUDO_UID", NOBODY.to_string()).env("SUDO_GID", NOBODY.to_string());
    run(command).fails_with(3, &["cannot be opened: Permission denied"]);
}

#[test]
fn a_program_without_a_build_id_has_no_debug_file() {
    require_root!();
    require_engine!();
    // Of Debian's Go 1.19. From 1.24 on there is one.
    let Some(dlv) = delves().pop() else { return };
    let Some(cut) = Cut::new(&go_on_path().unwrap_or_default()) else { return };
    if cut.parked.go >= 24 {
        skip::go_on(Some("this host's Go writes build ids".to_owned()));
        return;
    }
    let container = live::container(&cut.stripped());
    is_refused(&container, &dlv, &["--debug-file", text(&cut.file())], &["no build id", "Go writes one since 1.24"]);
}

/// Ends with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn with_a_debug_file_a_stripped_core_has_it_all() {
    require_root!();
    let Some((cut, another, dlv)) = two() else { return };
    let (out, core) = (cut.parked.folder.path().join("told"), cut.parked.folder.path().join("core"));
    let mut command = Command::new(cut.stripped());
    let running = Running(command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).spawn().unwrap());
    wait::until("the program to be ready", || fs::read_to_string(&out).unwrap().contains("ready").then_some(()));
    scratchdbg(&["core", "--yes", &format!("pid://{}", running.0.id()), "-o", text(&core)]).ok();
    let (file, directory, before) = (cut.file(), cut.directory(), folders());
    super::runtime().block_on(async {
        let program = debuginfo::of_file(&File::open(cut.stripped()).unwrap(), 0).await.unwrap();
        assert!(program.stripped);
        for wanted in [
            Wanted { file: Some(&file), directories: &[] },
            Wanted { file: None, directories: std::slice::from_ref(&directory) },
        ] {
            let found = debugfile::find(&program, wanted).await.unwrap();
            let (program, core) = (Source::Path(cut.stripped()), Source::Path(core.clone()));
            let order = Order { dlv: &dlv.path, program, core, debug_file: found.as_ref() };
            let (client, _, mut opened) = core::open(order).await.unwrap();
            shows_all(&client).await.unwrap();
            // Another test may have one just now.
            wait::until("the folders to be gone", || folders().iter().all(|path| before.contains(path)).then_some(()));
            client.detach().await.unwrap();
            opened.ended().await;
        }
        // Whatever is spoken to it, and when: the folder goes as soon as Delve has the file open.
        let found = debugfile::find(&program, Wanted { file: Some(&file), directories: &[] }).await.unwrap();
        let (of_program, of_core) = (Source::Path(cut.stripped()), Source::Path(core.clone()));
        let order = Order { dlv: &dlv.path, program: of_program, core: of_core, debug_file: found.as_ref() };
        let (stream, opened) = core::connect(order).await.unwrap();
        let gone = async {
            while !folders().iter().all(|path| before.contains(path)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(wait::PATIENCE, gone).await.expect("the folder is still there");
        let (client, _) = Stopped::open(stream).await.unwrap();
        shows_all(&client).await.unwrap();
        drop((client, opened));

        let file = another.file();
        let wanted = Wanted { file: Some(&file), directories: &[] };
        let refused = debugfile::find(&program, wanted).await.unwrap_err();
        assert!(refused.to_string().contains("another build"), "{refused}");
    });
}
