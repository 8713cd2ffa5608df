//! Whole readings, against a shim whose files are made up: processes that vanish, files that may not be read.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::files::list::{Want, list, look};
use super::files::{Kind, view};
use super::process::Part;
use super::users::Users;
use super::*;
use crate::exit::{Exit, Explain as _};
use crate::shim::{Leash, Shim};
use crate::target::{ContainerPid, HostPid};
use crate::wire::{self, Body, Entry, Failure, Hello, MAX_STREAMS, Op, Reply, Request, Stat, VERSION};

const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EACCES: i32 = 13;

/// A file that does not exist.
enum Fake {
    File(Vec<u8>),
    Link(&'static str),
    Fifo,
    Fails(i32),
}

/// Paths and what is there. Directories are there because something is in them.
#[derive(Default)]
struct World(BTreeMap<String, Fake>);

impl World {
    fn file(mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), Fake::File(text.into()));
        self
    }

    fn with(mut self, path: impl Into<String>, fake: Fake) -> Self {
        self.0.insert(path.into(), fake);
        self
    }

    /// A process with the files every reading wants.
    fn process(self, pid: i32, parent: i32) -> Self {
        let tail = "1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 1000 0 0";
        self.file(format!("/proc/{pid}/stat"), format!("{pid} (p{pid}) S {parent} {tail}"))
            .file(
                format!("/proc/{pid}/status"),
                "Uid:\t7\t7\t7\t7\nVmRSS:\t 4 kB\nCapEff:\t0000000000000400\nSeccomp:\t2\n",
            )
            .file(format!("/proc/{pid}/cmdline"), format!("/bin/p{pid}\0-x\0"))
            .file(format!("/proc/{pid}/comm"), format!("p{pid}\n"))
    }

    fn names(&self, directory: &str) -> Vec<(String, u8)> {
        let directory = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        let mut names = BTreeMap::new();
        for (path, fake) in &self.0 {
            match path.strip_prefix(&directory).map(|rest| rest.split_once('/')) {
                Some(Some((name, _))) => names.insert(name.to_owned(), 4),
                Some(None) => names.insert(path[directory.len()..].to_owned(), kind(fake)),
                None => continue,
            };
        }
        names.into_iter().collect()
    }

    async fn shim(self) -> Shim {
        let (ours, theirs) = UnixStream::pair().unwrap();
        std::thread::spawn(move || self.serve(theirs));
        Shim::start(ours, Leash::new(|| {})).await.unwrap()
    }

    /// Like the real one, it takes in all that has been asked before it begins with the streams.
    fn serve(self, mut socket: UnixStream) {
        let hello = Hello { version: VERSION, uid: 0, gid: 0, caps: 0, passes: false, writes: false, watches: false };
        say(&mut socket, 0, Body::Hello(hello));
        let mut bytes = Vec::new();
        loop {
            let mut chunk = [0; 65536];
            socket.set_nonblocking(!bytes.is_empty()).unwrap();
            match socket.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            socket.set_nonblocking(false).unwrap();
            let mut streams = 0;
            while let Ok(Some(frame)) = wire::frame(&bytes, wire::MAX_REQUEST) {
                let used = frame.len() + wire::PREFIX;
                let Request { id, op } = wire::decode(frame).unwrap();
                streams += usize::from(matches!(op, Op::List { .. } | Op::Read { .. }));
                if streams > MAX_STREAMS {
                    say(&mut socket, id, Body::Failed(Failure::Busy));
                } else {
                    self.answer(&mut socket, id, &op);
                }
                bytes.drain(..used);
            }
        }
    }

    fn answer(&self, socket: &mut UnixStream, id: u32, op: &Op<'_>) {
        let failed = |errno| Body::Failed(Failure::Errno(errno));
        let path = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
        match *op {
            Op::List { path: at, stat, .. } => match (self.0.get(&path(at)), self.names(&path(at))) {
                (Some(Fake::Fails(errno)), _) => say(socket, id, failed(*errno)),
                (_, names) if names.is_empty() => say(socket, id, failed(ENOENT)),
                (_, names) => {
                    let mut buffer = vec![0; 65536];
                    let mut used = 0;
                    for (name, kind) in &names {
                        let stat = stat.then(|| Stat { mode: u32::from(*kind) << 12 | 0o644, ..Stat::default() });
                        let entry = Entry { name: name.as_bytes(), kind: *kind, stat };
                        used += entry.encode(&mut buffer[used..]).unwrap();
                    }
                    say(socket, id, Body::Entries(&buffer[..used]));
                    say(socket, id, Body::End);
                }
            },
            Op::Read { path: at, offset, len, .. } => match self.0.get(&path(at)) {
                Some(Fake::File(text)) => {
                    let from = usize::try_from(offset).unwrap().min(text.len());
                    let to = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(from).min(text.len());
                    if from < to {
                        say(socket, id, Body::Data(&text[from..to]));
                    }
                    say(socket, id, Body::End);
                }
                Some(Fake::Fails(errno)) => say(socket, id, failed(*errno)),
                Some(_) => say(socket, id, Body::Failed(Failure::WrongKind(0o010_644))),
                None => say(socket, id, failed(ENOENT)),
            },
            Op::Stat { path: at, .. } => match self.0.get(&path(at)) {
                Some(Fake::Fails(errno)) => say(socket, id, failed(*errno)),
                Some(fake) => {
                    let mode = u32::from(kind(fake)) << 12 | 0o644;
                    say(socket, id, Body::Stat(Stat { mode, ..Stat::default() }));
                }
                None => say(socket, id, failed(ENOENT)),
            },
            Op::ReadLink { path: at } => match self.0.get(&path(at)) {
                Some(Fake::Link(target)) => say(socket, id, Body::Data(target.as_bytes())),
                Some(Fake::Fails(errno)) => say(socket, id, failed(*errno)),
                _ => say(socket, id, failed(ENOENT)),
            },
            Op::Credit { .. } | Op::Cancel { .. } => {}
            _ => say(socket, id, Body::Failed(Failure::NotAllowed)),
        }
    }
}

/// `d_type` of readdir(3).
fn kind(fake: &Fake) -> u8 {
    match fake {
        Fake::File(_) | Fake::Fails(_) => 8,
        Fake::Link(_) => 10,
        Fake::Fifo => 1,
    }
}

fn say(socket: &mut UnixStream, id: u32, body: Body<'_>) {
    let mut buffer = vec![0; wire::MAX_FRAME + wire::PREFIX];
    let _ = socket.write_all(wire::encode(&Reply { id, body }, &mut buffer).unwrap());
}

fn world() -> World {
    World::default().file("/proc/uptime", "20.00 1.00\n")
}

#[tokio::test]
async fn processes_that_vanish_are_left_out() {
    let shim = world()
        .process(1, 0)
        .process(7, 1)
        .with("/proc/5/stat", Fake::Fails(ESRCH))
        .file("/proc/6/stat", ") 6 (")
        .file("/proc/6/status", "")
        .file("/proc/0/stat", "")
        .file("/proc/meminfo", "")
        .shim()
        .await;
    let users = Users { users: [(7, "app".into())].into(), groups: HashMap::new() };
    let host = [(ContainerPid(1), HostPid(4711))].into();
    let found = processes::all(&shim, &users, &host).await.unwrap();
    let shown: Vec<_> = found.iter().map(|one| (one.pid.0, one.ppid.0, one.host_pid, one.command_line())).collect();
    assert_eq!(shown, [(1, 0, Some(HostPid(4711)), "/bin/p1 -x".into()), (7, 1, None, "/bin/p7 -x".into())]);
    assert_eq!((found[0].rss, found[0].user.clone()), (4096, Some("app".into())));
    // 2 s of processor in the 10 s since it started.
    assert_eq!((found[0].cpu.as_secs(), found[0].age.as_secs(), found[0].cpu_percent), (2, 10, 20.0));
}

#[tokio::test]
async fn many_processes_do_not_ask_for_more_streams_than_there_are() {
    let shim = (1..500).fold(world(), |world, pid| world.process(pid, 0)).shim().await;
    assert_eq!(processes::all(&shim, &Users::default(), &HashMap::new()).await.unwrap().len(), 499);
}

#[tokio::test]
async fn no_proc_is_an_error_with_words() {
    let error = processes::all(&World::default().shim().await, &Users::default(), &HashMap::new()).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit()), ("no file /proc/uptime in the target", Exit::No));
}

#[tokio::test]
async fn a_process_whose_secrets_may_not_be_seen() {
    let shim = world()
        .process(1, 0)
        .with("/proc/1/exe", Fake::Fails(EACCES))
        .with("/proc/1/environ", Fake::Fails(EACCES))
        .with("/proc/1/fd", Fake::Fails(EACCES))
        .file("/proc/1/cgroup", "0::/x\n")
        .with("/proc/1/ns/net", Fake::Link("net:[42]"))
        .shim()
        .await;
    let detail = process::detail(&shim, ContainerPid(1), &Users::default()).await.unwrap();
    let refused = "no permission; try --as root";
    assert_eq!(detail.exe, Part::Unavailable(refused.into()));
    assert_eq!(detail.env, Part::Unavailable(refused.into()));
    assert_eq!(detail.fds, Part::Unavailable(refused.into()));
    assert_eq!(detail.cwd, Part::Unavailable("not there".into()));
    assert_eq!(detail.cgroups, Part::Ok(vec!["/x".into()]));
    assert_eq!(detail.namespaces, Part::Ok(vec![("net".into(), 42)]));
    assert_eq!(detail.capabilities.ok().unwrap()[0].names, ["CAP_NET_BIND_SERVICE"]);
}

#[tokio::test]
async fn a_process_that_is_not_there() {
    let shim = world().with("/proc/9/stat", Fake::Fails(ESRCH)).process(1, 0).shim().await;
    for pid in [8, 9] {
        let error = process::detail(&shim, ContainerPid(pid), &Users::default()).await.unwrap_err();
        assert!(matches!(error, Error::NoProcess(ContainerPid(found)) if found == pid), "{error}");
    }
}

#[tokio::test]
async fn sockets_have_owners_where_they_may_be_seen() {
    let line = "0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000 0 0";
    let shim = world()
        .process(1, 0)
        .process(7, 1)
        .process(8, 1)
        .file("/proc/7/net/tcp", format!("title\n {line} 55\n {line} 66\n"))
        .with("/proc/1/fd", Fake::Fails(EACCES))
        .with("/proc/7/fd/3", Fake::Link("socket:[55]"))
        .with("/proc/7/fd/4", Fake::Link("/dev/null"))
        .with("/proc/8/fd/9", Fake::Link("socket:[55]"))
        .file("/etc/resolv.conf", "nameserver 10.0.0.1\n")
        .shim()
        .await;
    let network = network::read(&shim, ContainerPid(7)).await;
    let sockets = network.sockets.ok().unwrap();
    let owners: Vec<_> =
        sockets[0].owners.iter().map(|one| (one.pid.0, one.name.lossy().into_owned(), one.fd)).collect();
    assert_eq!(owners, [(7, "p7".to_owned(), 3), (8, "p8".to_owned(), 9)]);
    assert_eq!((sockets[0].receive_queue, sockets[1].owners.len()), (3, 0));
    assert_eq!(network.notes, ["no permission to see the sockets of 1 of the processes; try --as root"]);
    assert_eq!(network.interfaces, Part::Unavailable("not there".into()));
    assert_eq!(network.resolver.nameservers, Part::Ok(vec!["10.0.0.1".into()]));
    let hosts = "no /etc/hosts: Go asks DNS for every name, even localhost";
    assert_eq!(network.resolver.hosts, Part::Unavailable(hosts.into()));
}

#[tokio::test]
async fn listings_with_links() {
    let shim = World::default()
        .file("/d/file", "abc")
        .with("/d/link", Fake::Link("/etc/passwd"))
        .with("/d/pipe", Fake::Fifo)
        .file("/d/dir/x", "")
        .shim()
        .await;
    let listing = list(&shim, b"/d", Want::ALL).await.unwrap();
    let shown: Vec<_> = listing.entries.iter().map(|one| (one.name.lossy(), one.kind, one.link.clone())).collect();
    assert_eq!(shown[0], ("dir".into(), Kind::Directory, None));
    assert_eq!(shown[2], ("link".into(), Kind::Symlink, Some("/etc/passwd".into())));
    assert!(listing.entries.iter().all(|one| one.meta.is_some()));
    // Names alone ask for nothing else.
    let names = list(&shim, b"/d", Want::NAMES).await.unwrap();
    assert!(names.entries.iter().all(|one| one.meta.is_none() && one.link.is_none()));
    assert_eq!(look(&shim, b"/d/link").await.unwrap().link, Some("/etc/passwd".into()));
    assert!(matches!(list(&shim, b"/no", Want::ALL).await, Err(Error::NoFile { .. })));
}

#[tokio::test]
async fn views_end_and_refuse() {
    let shim = World::default().file("/f", "0123456789").with("/pipe", Fake::Fifo).shim().await;
    let part = view(&shim, b"/f", 2, 3).await.unwrap();
    assert_eq!((part.bytes.as_slice(), part.end), (&b"234"[..], false));
    let end = view(&shim, b"/f", 8, 5).await.unwrap();
    assert_eq!((end.bytes.as_slice(), end.end), (&b"89"[..], true));
    let error = view(&shim, b"/pipe", 0, 5).await.unwrap_err();
    assert_eq!(error.to_string(), "/pipe in the target is a named pipe, not a regular file");
}
