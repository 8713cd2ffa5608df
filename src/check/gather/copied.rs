//! Of a copy of a pod, in which the program does not run: what it would run, and what it would find.

use futures_util::{StreamExt as _, stream};

use super::source::Source;
use super::{Facts, program, running, together, with_passwd};
use crate::check::facts::Running;
use crate::engine::docker::images::Given;
use crate::engine::kube::Pod;
use crate::engine::kube::copy::{Copied, HELPERS, Runs};
use crate::exit::{Exit, Failure};
use crate::image::{Environment, Setup};
use crate::inspect::fetch;
use crate::inspect::files::{self, Kind};
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// Where programs are looked for, where nobody tells which one is run: what images that are made by hand, by ko, or by a distribution
/// have them in.
const FOLDERS: [&str; 12] = [
    "/",
    "/app",
    "/bin",
    "/cmd",
    "/home",
    "/ko-app",
    "/opt",
    "/sbin",
    "/srv",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/sbin",
];
/// Files that are looked at in one of them, at most, and at once.
const MOST: usize = 512;
const AT_ONCE: usize = 16;
/// Programs that an error names.
const NAMED: usize = 6;
/// elf(5)
const ELF: &[u8] = b"\x7fELF";

/// What a copy would run: as its pod says, or as somebody says; else the only program that there is.
///
/// # Errors
/// If nobody tells. A cluster does not say what an image runs.
pub async fn program_of_copy(shim: &Shim, pod: &Pod, copy: &Copied, named: Option<&str>) -> Result<Untrusted, Failure> {
    let setup = setup(shim, pod, copy, named).await?;
    Ok(program::find(&Source::Inside(shim), &setup).await.path)
}

/// What is known of it.
///
/// # Errors
/// If nobody tells what it would run, or it has ended.
pub async fn of_copy(
    shim: &Shim,
    pod: &Pod,
    copy: &Copied,
    init: ContainerPid,
    named: Option<&str>,
) -> Result<Facts, Failure> {
    let setup = setup(shim, pod, copy, named).await?;
    let facts = facts(shim, pod, init, setup).await;
    Ok(facts.map_err(|error| crate::inspect::Error::of_process(init, b"/proc", error))?)
}

async fn facts(shim: &Shim, pod: &Pod, init: ContainerPid, mut setup: Setup) -> Result<Facts, Error> {
    let source = Source::Inside(shim);
    setup.environment = running::environment(shim, init).await.unwrap_or_default();
    let (status, user) = running::status(shim, init).await?;
    let user = with_passwd(&source, user, b"").await;
    let program = program::find(&source, &setup).await;
    let mut facts = together(&source, setup, program, user, std::env::consts::ARCH).await;
    facts.resolver = running::resolver(shim, facts.resolver).await;
    let about = running::About::of(&pod.container, Given::default());
    let held = running::read(shim, init, &status, &facts.setup, &about).await;
    let own = |mount: &Untrusted| mount.bytes() == HELPERS.as_bytes();
    facts.running = Some(Running {
        // These would be the helper's, and not the program's.
        caught: None,
        threads: None,
        open_files: None,
        listening: None,
        mounts: held.mounts.into_iter().filter(|mount| !own(mount)).collect(),
        ..held
    });
    Ok(facts)
}

async fn setup(shim: &Shim, pod: &Pod, copy: &Copied, named: Option<&str>) -> Result<Setup, Failure> {
    let words = |words: &[String]| words.iter().map(|word| Untrusted::from(word.as_str())).collect::<Vec<_>>();
    let Runs { command, args, directory } = &copy.runs;
    let directory = match directory {
        Some(directory) => Untrusted::from(directory.as_str()),
        // The helper was begun where the program would be, which the image may say.
        None => Untrusted::new(shim.readlink(b"/proc/1/cwd").await.unwrap_or_default()),
    };
    let entrypoint = match (named, command.as_slice()) {
        (Some(named), _) => vec![Untrusted::from(named)],
        (None, []) => vec![only_one(shim, pod, copy).await?],
        (None, command) => words(command),
    };
    Ok(Setup { entrypoint, command: words(args), directory, environment: Environment::default(), ..Setup::default() })
}

/// The only program in the usual places.
async fn only_one(shim: &Shim, pod: &Pod, copy: &Copied) -> Result<Untrusted, Failure> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let Ok(names) = Source::Inside(shim).names(folder.as_bytes(), MOST).await else { continue };
        let paths = names.into_iter().map(|name| files::join(folder.as_bytes(), &name));
        let programs = stream::iter(paths).map(|path| async move { is_program(shim, &path).await.then_some(path) });
        found.extend(programs.buffered(AT_ONCE).filter_map(std::future::ready).collect::<Vec<_>>().await);
    }
    if let [only] = found.as_slice() {
        return Ok(Untrusted::from(only.as_slice()));
    }
    let names: Vec<_> = found.iter().take(NAMED).map(|path| String::from_utf8_lossy(path)).collect();
    let there = match (names.len(), found.len()) {
        (0, _) => "no program is in the usual places".to_owned(),
        (some, all) if some < all => format!("it has {all} programs, among them {}", names.join(", ")),
        _ => format!("it has {}", names.join(", ")),
    };
    let message = format!(
        "pod {} does not say what container {} runs, and the cluster does not tell what image {} runs: {there}",
        copy.of, pod.name, pod.container.image
    );
    Err(Failure::new(Exit::Usage, message).try_this("say which: --program PATH"))
}

async fn is_program(shim: &Shim, path: &[u8]) -> bool {
    // A link to a program that is found itself is no other one.
    let Ok(stat) = shim.stat(path, false).await else { return false };
    if Kind::of_mode(stat.mode) != Kind::File || stat.mode & 0o111 == 0 {
        return false;
    }
    match fetch::prefix(shim, path, ELF.len() as u64).await {
        Ok((head, _)) => head == ELF,
        // Who may run it may not read it.
        Err(error) => matches!(error, Error::Errno(nix::errno::Errno::EACCES)),
    }
}
