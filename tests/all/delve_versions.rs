//! Which Delve can do what with the programs of which Go: every pairing of what `scripts/setup matrix` brings either
//! shows goroutines, a stack and a local's value, or is refused before anything is touched. Over a core, and on a live
//! process.

mod debug_file;
mod live;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scratchdbg::delve::client::{Error, Stopped};
use scratchdbg::delve::core::{self, Order, Source};
use scratchdbg::delve::find::{self, Found};
use scratchdbg::delve::model::{Filter, Load, Matching, Scope, Status};
use scratchdbg::delve::version::{Gate, Refusal, gate, go_minor};
use tokio::runtime::Runtime;

use crate::support::command::{run_within, scratchdbg};
use crate::support::{skip, wait};
use crate::{require_engine, require_root};

/// The Delves that the set-up brings.
const DELVES: [&str; 3] = ["1.20.2", "1.24.0", "1.27.1"];

fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("scratchdbg")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The Delves that are there. Says which are not.
fn delves() -> Vec<Found> {
    let runtime = runtime();
    let found = DELVES.iter().filter_map(|version| {
        let path = cache().join("delve").join(version).join("dlv");
        if !skip::go_on((!path.exists()).then(|| format!("there is no Delve {version}: scripts/setup matrix"))) {
            return None;
        }
        Some(runtime.block_on(find::find(Some(&path))).unwrap())
    });
    found.collect()
}

/// `tests/fixtures/parked`, built by a Go and running.
struct Parked {
    folder: tempfile::TempDir,
    child: Child,
    go: u32,
    stripped: bool,
}

impl Parked {
    fn start(go: &Path, stripped: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("parked");
        let mut build = Command::new(go);
        build.args(["build", "-buildvcs=false", "-trimpath", "-o"]).arg(&program);
        build.args(if stripped { &["-ldflags=-s -w", "."][..] } else { &["."] });
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parked"));
        for (name, value) in
            [("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off")]
        {
            build.env(name, value);
        }
        // The first time it builds Go's library.
        run_within(Duration::from_secs(240), build).ok();
        let mut version = Command::new(go);
        version.arg("version").stdin(Stdio::null());
        let version = run_within(wait::PATIENCE, version).ok().text();

        let out = folder.path().join("out");
        let child = Command::new(&program).stdin(Stdio::null()).stdout(File::create(&out).unwrap()).spawn().unwrap();
        wait::until("the program to be ready", || fs::read_to_string(&out).unwrap().contains("ready").then_some(()));
        Self { folder, child, go: go_minor(&version).unwrap(), stripped }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("parked")
    }

    fn core(&self) -> PathBuf {
        let core = self.folder.path().join("core");
        let target = format!("pid://{}", self.child.id());
        scratchdbg(&["core", "--yes", &target, "-o", core.to_str().unwrap()]).ok();
        core
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a debugger is for: goroutines with what they wait for and their labels, a stack, a local's value.
async fn shows_all(client: &Stopped) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let all = client.goroutines(0, 100, &[]).await.map_err(told)?.goroutines;
    let workers = all.iter().filter(|of| of.user.function.bytes() == b"main.worker");
    let waiting =
        workers.filter(|of| of.status == Status::Waiting && of.wait.is_some_and(|w| w.words == Some("chan receive")));
    if waiting.count() != 3 {
        return Err(format!("no three workers that wait to receive: {all:?}"));
    }
    let label = Filter { matching: Matching::Label("tenant=acme".to_owned()), negated: false };
    if client.goroutines(0, 100, &[label]).await.map_err(told)?.goroutines.len() != 1 {
        return Err("no goroutine has its label".to_owned());
    }
    let stack = client.stack(Some(1), 20, None).await.map_err(told)?;
    let frame = stack.iter().position(|frame| frame.location.function.bytes() == b"main.main");
    let frame = frame.ok_or_else(|| format!("no main.main in {stack:?}"))?;
    let locals = client.locals(Scope::of(1, frame), Load::LINE).await.map_err(told)?;
    let order = locals.iter().find(|local| local.name.bytes() == b"order");
    let value = order.ok_or_else(|| format!("no local `order` in {locals:?}"))?.value.safe();
    if !value.as_str().starts_with(r#"&{ID: 7, Customer: "Ada \"the first\" Lovelace\n", Items: ["bolt", "#) {
        return Err(format!("the order is {value}"));
    }
    Ok(())
}

/// What is left of it without debug information.
async fn shows_what_a_stripped_one_has(client: &Stopped) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let threads = client.threads().await.map_err(told)?;
    let stack = client.stack(None, 20, None).await.map_err(told)?;
    let functions = client.functions("^main\\.").await.map_err(told)?;
    if threads.is_empty() || stack.is_empty() || functions.len() < 5 {
        return Err(format!("{} threads, {} calls, functions {functions:?}", threads.len(), stack.len()));
    }
    let park = client.find(Scope::current(), "main.park", &[]).await.map_err(told)?;
    let code = client.disassemble(Scope::current(), park[0].pc).await.map_err(told)?;
    if code.len() < 5 || client.registers(None).await.map_err(told)?.is_empty() {
        return Err(format!("no code or registers: {code:?}"));
    }
    match client.goroutines(0, 100, &[]).await {
        Ok(page) if !page.goroutines.is_empty() => Err("it has goroutines after all: say so".to_owned()),
        _ => Ok(()),
    }
}

async fn over_a_core(dlv: &Found, parked: &Parked, core: &Path) -> Result<(), String> {
    let (program, core) = (Source::Path(parked.program()), Source::Path(core.to_owned()));
    let order = Order { dlv: &dlv.path, program, core, debug_file: None };
    let (client, _, mut opened) = core::open(order).await.map_err(|error| error.to_string())?;
    let shown = if parked.stripped { shows_what_a_stripped_one_has(&client).await } else { shows_all(&client).await };
    client.detach().await.map_err(|error| error.to_string())?;
    opened.ended().await;
    shown
}

fn pairings_of(go: Option<PathBuf>) {
    require_root!();
    require_engine!();
    let Some(go) = go.filter(|go| go.exists()) else {
        skip::go_on(Some("there is no such Go: scripts/setup matrix".to_owned()));
        return;
    };
    let (delves, before) = (delves(), folders());
    let runtime = runtime();
    for stripped in [false, true] {
        let parked = Parked::start(&go, stripped);
        let (core, container) = (parked.core(), live::container(&parked.program()));
        for dlv in &delves {
            let pairing = format!("Delve {} on Go 1.{}, stripped: {stripped}", dlv.version, parked.go);
            let gate = gate(dlv.version, Some(parked.go), stripped);
            match &gate {
                Gate::Refused(why) => {
                    live::is_refused(&container, dlv, &[], &[&why.to_string(), "install a new one: go install"]);
                }
                _ => assert_eq!(live::works(&container, dlv, &[], stripped), Ok(()), "{pairing}, live"),
            }
            // It cannot listen where we would reach it.
            if matches!(gate, Gate::Refused(Refusal::NoSocket(_))) {
                continue;
            }
            let shown = runtime.block_on(over_a_core(dlv, &parked, &core));
            match gate {
                Gate::Refused(why) => {
                    assert!(shown.is_err(), "{pairing}: all of it works, so it need not be refused: {why}");
                }
                Gate::Good => assert_eq!(shown, Ok(()), "{pairing}"),
                Gate::Limited(_) => {
                    assert!(stripped, "{pairing}: what else is there to miss?");
                    assert_eq!(shown, Ok(()), "{pairing}");
                }
            }
        }
    }
    // Another test may have one just now.
    wait::until("the folders to be gone", || folders().iter().all(|path| before.contains(path)).then_some(()));
}

/// The private folders of Delves that are there now.
fn folders() -> Vec<PathBuf> {
    let all = fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("scratchdbg-dlv-")))
        .collect()
}

#[test]
fn what_is_no_core_is_refused_in_delves_words() {
    let delves = delves();
    let Some(dlv) = delves.last() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (program, core) = (folder.path().join("program"), folder.path().join("core"));
    fs::write(&program, "no program").unwrap();
    fs::write(&core, "no core").unwrap();
    let runtime = runtime();
    for (program, core) in
        [(&program, &core), (&std::env::current_exe().unwrap(), &core), (&program, &"/nowhere".into())]
    {
        let order = Order {
            dlv: &dlv.path,
            program: Source::Path(program.clone()),
            core: Source::Path(core.clone()),
            debug_file: None,
        };
        let why = runtime.block_on(core::open(order)).expect_err("it is no core").to_string();
        assert!(why.starts_with("delve could not open the core: ") && !why.contains("does not say"), "{why}");
    }
}

/// What [`anybody_can_open_a_core`] runs as somebody without rights, in a folder with all it needs.
#[test]
#[ignore = "another test runs it"]
fn as_anybody() {
    let folder = PathBuf::from(std::env::var_os("SCRATCHDBG_TEST_FOLDER").unwrap());
    let runtime = runtime();
    runtime.block_on(async {
        let dlv = folder.join("dlv");
        // By descriptors, which Delve opens anew.
        let open = |name: &str| Source::Open(File::open(folder.join(name)).unwrap().into());
        let order = Order { dlv: &dlv, program: open("parked"), core: open("core"), debug_file: None };
        let (client, _, mut opened) = core::open(order).await.unwrap();
        shows_all(&client).await.unwrap();
        // Its end of the connection is all that keeps it.
        drop(client);
        opened.ended().await;
    });
    let ours = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(ours.filter(|name| name.to_string_lossy().starts_with("scratchdbg")).count(), 0);
}

#[test]
fn anybody_can_open_a_core() {
    require_root!();
    let delves = delves();
    let Some(dlv) = delves.last() else { return };
    let Some(go) = go_on_path() else {
        skip::go_on(Some("there is no Go: scripts/setup".to_owned()));
        return;
    };
    let parked = Parked::start(&go, false);
    let core = parked.core();
    let folder = parked.folder.path();
    fs::copy(&dlv.path, folder.join("dlv")).unwrap();
    fs::copy(std::env::current_exe().unwrap(), folder.join("tests")).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::chown(&core, Some(65534), Some(65534)).unwrap();
    let mut command = Command::new(folder.join("tests"));
    command.args(["--exact", "delve_versions::as_anybody", "--ignored", "--nocapture"]).stdin(Stdio::null());
    command.env("SCRATCHDBG_TEST_FOLDER", folder).env("TMPDIR", folder).uid(65534).gid(65534).current_dir(folder);
    let told = run_within(wait::PATIENCE, command).ok().text();
    assert!(told.contains("1 passed"), "{told}");
}

fn go_on_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join("go")).find(|go| go.exists())
}

fn of_setup(version: &str) -> PathBuf {
    cache().join("go").join(version).join("go/bin/go")
}

#[test]
fn go_of_this_host() {
    pairings_of(go_on_path());
}

#[test]
fn go_1_24() {
    pairings_of(Some(of_setup("1.24.11")));
}

#[test]
fn go_1_27() {
    pairings_of(Some(of_setup("1.27.3")));
}
