//! Reads what the checks know, in one place: of a running target, or of an image.

mod cgroup;
mod copied;
mod files;
mod program;
mod roots;
mod running;
mod source;

use std::time::SystemTime;

use object::elf::ET_DYN;

use super::facts::{Elf, Facts, Format, Resolver, Seen, User};
use super::symbols::Linked;
use crate::engine::docker::Docker;
use crate::engine::docker::images::Given;
use crate::exit::Failure;
use crate::golang::functions;
use crate::golang::outline::Outline;
use crate::golang::{self, Error, Ranges, buildinfo, dwarf, linkage, outline};
use crate::image::{Image, Setup};
use crate::inspect::processes::{self, stat};
use crate::inspect::{fetch, users};
use crate::shim::Shim;
use crate::target::{ContainerPid, Target};
use crate::text::Untrusted;

pub use copied::{of_copy, program_of_copy};
pub use running::About;
use source::Source;

/// The longest name table of a program that is no Go's, in bytes.
const LONGEST_NAMES: usize = 16 << 20;
/// The longest first line of a script (`BINPRM_BUF_SIZE`, execve(2)).
const LONGEST_LINE: usize = 256;
/// How far from the beginning UPX leaves its name (UPX, `l_info`).
const PACKED: usize = 4096;
/// The longest list of users that is read, in bytes.
const LONGEST_USERS: u64 = users::MAX_FILE;

/// The process that is meant where the first one does nothing but wait for another (`docker run --init`): its only child.
pub async fn behind_init(shim: &Shim, pid: ContainerPid) -> ContainerPid {
    let exe = shim.readlink(&fetch::proc_path(pid, "exe")).await.unwrap_or_default();
    if !crate::inspect::files::file_name(&exe).is_some_and(|name| program::INITS.contains(&name)) {
        return pid;
    }
    let all = processes::pids(shim).await.unwrap_or_default();
    let stats = fetch::each(all, |pid| async move {
        let text = fetch::prefix(shim, &fetch::proc_path(pid, "stat"), processes::MAX_STATUS).await;
        Some((pid, stat::parse(&text.ok()?.0)?.ppid))
    })
    .await;
    let mut children = stats.into_iter().flatten().filter(|(_, parent)| *parent == pid.0).map(|(child, _)| child);
    match (children.next(), children.next()) {
        (Some(only), None) => only,
        _ => pid,
    }
}

/// Of a process of a target, with what its engine says of it.
///
/// # Errors
/// If the engine does not answer, or the process has ended.
pub async fn of_target(
    shim: &Shim,
    target: &Target,
    engine: Option<&Docker>,
    pid: ContainerPid,
) -> Result<Facts, Failure> {
    if let Target::Pod(pod) = target
        && let Some(copy) = &pod.copy
    {
        return of_copy(shim, pod, copy, pid, None).await;
    }
    let (setup, given) = match (target.container(), engine) {
        (Some(container), Some(engine)) => engine.setup(&container.id).await?,
        _ => (Setup::default(), Given::default()),
    };
    let about = target.container().map(|container| About::of(container, given)).unwrap_or_default();
    let facts = of_process(shim, pid, setup, &about).await;
    Ok(facts.map_err(|error| crate::inspect::Error::of_process(pid, b"/proc", error))?)
}

/// Of a program that runs. `setup` is how its container is set up, if it is one's; its environment is the program's own.
///
/// # Errors
/// Whatever kept its first facts from being read: that it has ended, for one.
pub async fn of_process(
    shim: &Shim,
    pid: ContainerPid,
    setup: Setup,
    about: &About,
) -> Result<Facts, crate::shim::Error> {
    let source = Source::Inside(shim);
    let exe = shim.readlink(&fetch::proc_path(pid, "exe")).await?;
    let mut setup = setup;
    if let Some(environment) = running::environment(shim, pid).await {
        setup.environment = environment;
    }
    let (status, user) = running::status(shim, pid).await?;
    let user = with_passwd(&source, user, b"").await;
    let shell = program::shell_of(&source, &setup).await;
    let path = Untrusted::new(exe);
    let seen = if path.bytes().ends_with(b" (deleted)") {
        Seen::Unknown("it was taken away or replaced since it began".to_owned())
    } else {
        source.stat(path.bytes()).await
    };
    let program = program::read(&source, path.clone(), path, seen, shell).await;
    let machine = std::env::consts::ARCH;
    let mut facts = together(&source, setup, program, user, machine).await;
    facts.resolver = running::resolver(shim, facts.resolver).await;
    facts.running = Some(running::read(shim, pid, &status, &facts.setup, about).await);
    Ok(facts)
}

/// The path of the program that an image runs, whether it is there or not.
pub async fn program_of(image: &Image) -> Untrusted {
    program::find(&Source::Image(image), &image.setup).await.path
}

/// Of an image. `machine` is that of the host that is to run it (`uname -m`).
pub async fn of_image(image: &Image, machine: &'static str) -> Facts {
    let source = Source::Image(image);
    let setup = image.setup.clone();
    let user = with_passwd(&source, User::default(), setup.user.bytes()).await;
    let program = program::find(&source, &setup).await;
    together(&source, setup, program, user, machine).await
}

async fn together(
    source: &Source<'_>,
    setup: Setup,
    program: super::facts::Program,
    user: User,
    machine: &'static str,
) -> Facts {
    let mut facts = Facts {
        machine,
        setup,
        program,
        files: std::collections::BTreeMap::new(),
        roots: super::facts::Roots::default(),
        user,
        resolver: Resolver { sources: sources(source).await, ..Resolver::default() },
        running: None,
        delve: None,
        now: SystemTime::now(),
    };
    facts.files = files::read(source, &facts).await;
    facts.roots = roots::read(source, &facts).await;
    facts
}

/// The sources of host names that `/etc/nsswitch.conf` lists; conditions in brackets are left out.
async fn sources(source: &Source<'_>) -> Option<Vec<Untrusted>> {
    let text = source.read(b"/etc/nsswitch.conf", 1 << 20).await.ok()?;
    let line = crate::inspect::network::resolver::parse_nsswitch(&text)?;
    let words = fetch::words(line.bytes()).filter(|word| !word.starts_with(b"[") && !word.ends_with(b"]"));
    Some(words.map(Untrusted::from).take(16).collect())
}

/// Adds what `/etc/passwd` says. Of an image the user is what `USER` names: a number or a word, and a group behind a colon.
async fn with_passwd(source: &Source<'_>, user: User, named: &[u8]) -> User {
    let text = source.read(b"/etc/passwd", LONGEST_USERS).await.unwrap_or_default();
    let mut user = user;
    if user.uid.is_none() {
        let mut parts = named.splitn(2, |&byte| byte == b':');
        let (name, group) = (parts.next().unwrap_or_default(), parts.next());
        let entry = fetch::lines(&text).find_map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            let (first, uid, gid) = (fields.next()?, fields.nth(1)?, fields.next()?);
            let (uid, gid) = (fetch::decimal::<u32>(uid)?, fetch::decimal::<u32>(gid)?);
            (first == name || fetch::decimal(name) == Some(uid)).then_some((uid, gid))
        });
        let number = if name.is_empty() { Some(0) } else { fetch::decimal(name) };
        user.uid = entry.map(|(uid, _)| uid).or(number);
        user.unknown_name = user.uid.is_none();
        user.gid = group.and_then(fetch::decimal).or(entry.map(|(_, gid)| gid)).unwrap_or(0);
    }
    user.in_passwd = user.uid.is_some_and(|uid| users::parse(&text).contains_key(&uid));
    user
}

/// What is in a program's file.
async fn format(source: &Source<'_>, path: &[u8]) -> Format {
    let file = source.file(path);
    let Ok(head) = file.read_at(0, PACKED).await else { return Format::Unread };
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.get(..line.len().min(LONGEST_LINE)).unwrap_or_default();
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let interpreter: Untrusted = fetch::words(line).next().unwrap_or_default().into();
        let there = source.stat(interpreter.bytes()).await.file().is_some();
        return Format::Script(interpreter, there);
    }
    match outline::read(&file).await {
        Ok(outline) => match elf(source, path, &outline, &head).await {
            Ok(elf) => Format::Elf(Box::new(elf)),
            Err(_) => Format::Unread,
        },
        Err(Error::NotElf | Error::Malformed(_)) => Format::Unknown,
        Err(_) => Format::Unread,
    }
}

async fn elf(source: &Source<'_>, path: &[u8], outline: &Outline, head: &[u8]) -> Result<Elf, Error> {
    let file = source.file(path);
    let linkage = linkage::read(&file, outline).await?;
    let go = match buildinfo::read(&file).await {
        Ok(info) => Some(info),
        Err(error @ (Error::Shim(_) | Error::Io(_))) => return Err(error),
        Err(_) => None,
    };
    let has = |name: &[u8]| outline.section(name).is_some_and(|section| section.range.size > 0);
    let (lost, searched) = program::lost(source, path, &linkage).await;
    Ok(Elf {
        is_64: outline.is_64,
        is_little: outline.is_little,
        machine: outline.machine,
        is_pie: outline.kind == ET_DYN,
        lost,
        searched,
        packed: memchr::memmem::find(head, b"UPX!").is_some(),
        stripped: !has(b".debug_info") && !has(b".zdebug_info"),
        dwarf: dwarf::version(&file, outline).await?,
        linked: linked(&file, outline, go.is_some()).await?,
        linkage,
        go,
    })
}

/// Which functions that matter are in it: Go's by the linker's table, others' by their tables of symbols.
async fn linked(file: &impl Ranges, outline: &Outline, is_go: bool) -> Result<Linked, Error> {
    if is_go {
        let functions = functions::read(file, outline).await?;
        return Ok(functions.map_or(Linked::UNKNOWN, |functions| Linked::of(functions.names())));
    }
    let mut names = Vec::new();
    for section in [b".dynstr".as_slice(), b".strtab"].into_iter().filter_map(|name| outline.section(name)) {
        let length = usize::try_from(section.range.size).unwrap_or(usize::MAX).min(LONGEST_NAMES);
        names.extend(golang::read_all(file, section.range.offset, length).await?);
        names.push(0);
    }
    Ok(if names.is_empty() { Linked::UNKNOWN } else { Linked::of(names.split(|&byte| byte == 0)) })
}
