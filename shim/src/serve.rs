//! The loop: take a request, answer it, keep the streams going, end with the target.

use rustix::fd::AsFd;

use crate::Allowed;
use crate::connection::{Connection, Over};
use crate::files::{self, Path};
use crate::filter;
use crate::hold;
use crate::parts;
use crate::stream::{Step, Stream, Streams};
use crate::sys::Buffers;
use crate::tunnel::{self, Tunnels};
use crate::wire::{Body, Failure, Hello, MAX_REQUEST, Op, OpenKind, Reply, Request, VERSION};

/// Serves until the connection or the target ends. The result is the exit status.
pub fn serve(allowed: Allowed, buffers: &mut Buffers) -> i32 {
    let Buffers { request, payload, frame, dirents, rooms } = buffers;
    let Ok(mut connection) = Connection::new(allowed, request, frame) else { return 1 };
    // Nothing has been read yet.
    if allowed.session && !filter::of_session() {
        return hold::unlimited();
    }
    let (streams, tunnels) = (Streams::new(), Tunnels::new(rooms));
    let mut server = Server { allowed, at_home: allowed.sidecar, streams, tunnels, watch: None, path: Path::new() };
    let mut held = [0; MAX_REQUEST];
    let mut step = || -> Result<(), Over> {
        connection.send(&Reply { id: 0, body: Body::Hello(hello(allowed)) })?;
        loop {
            let woken = connection.wait(&server.tunnels, server.streams.busy())?;
            if woken.gone {
                // Last words of those that have ended with it.
                server.tunnels.step(woken.tunnels, &mut connection, payload)?;
                // Told to whoever asked; then the shim ends, so that it does not pin the target's namespaces.
                if let Some(id) = server.watch {
                    connection.send(&Reply { id, body: Body::Gone })?;
                }
                return Err(Over);
            }
            // Before anything else opens or closes one.
            server.tunnels.step(woken.tunnels, &mut connection, payload)?;
            if woken.readable {
                connection.receive()?;
                while let Some(request) = connection.next(&mut held)? {
                    server.answer(&mut connection, &request, payload)?;
                }
            }
            if let Some(stream) = server.streams.ready() {
                let id = stream.id;
                stream.credit -= 1;
                match stream.step(payload, dirents) {
                    Step::More(body) => connection.send(&Reply { id, body })?,
                    Step::Last(body) => {
                        if let Some(body) = body {
                            connection.send(&Reply { id, body })?;
                        }
                        connection.send(&Reply { id, body: Body::End })?;
                        server.streams.close(id);
                    }
                    Step::Failed(failure) => {
                        connection.send(&Reply { id, body: Body::Failed(failure) })?;
                        server.streams.close(id);
                    }
                }
            }
        }
    };
    // There is one way out, and it is no failure.
    let _: Result<(), Over> = step();
    0
}

fn hello(allowed: Allowed) -> Hello {
    let caps = rustix::thread::capabilities(None).map_or(0, |sets| sets.effective.bits());
    Hello {
        version: VERSION,
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        caps,
        passes: allowed.passes,
        writes: allowed.writes,
        watches: allowed.watches,
    }
}

struct Server<'b> {
    allowed: Allowed,
    /// A sidecar that has not gone to the target's root yet.
    at_home: bool,
    streams: Streams,
    tunnels: Tunnels<'b>,
    watch: Option<u32>,
    path: Path,
}

impl Server<'_> {
    fn answer(&mut self, to: &mut Connection<'_>, request: &Request<'_>, payload: &mut [u8]) -> Result<(), Over> {
        let id = request.id;
        match self.serve(to, request, payload) {
            Ok(Some(body)) => to.send(&Reply { id, body }),
            Ok(None) => Ok(()),
            Err(Refused::Over) => Err(Over),
            Err(Refused::Failed(failure)) => to.send(&Reply { id, body: Body::Failed(failure) }),
        }
    }

    fn serve<'b>(
        &mut self,
        to: &mut Connection<'_>,
        request: &Request<'_>,
        payload: &'b mut [u8],
    ) -> Result<Option<Body<'b>>, Refused> {
        let id = request.id;
        let path = &mut self.path;
        match request.op {
            Op::List { path: at, stat, credit } => {
                let (dir, _) = files::directory(path, at)?;
                self.streams.open(Stream::directory(id, credit, dir, stat))?;
            }
            Op::Read { path: at, offset, len, credit } => {
                let (file, _) = files::regular(path, at)?;
                self.streams.open(Stream::file(id, credit, file, offset, len))?;
            }
            Op::Stat { path: at, follow } => {
                return Ok(Some(Body::Stat(files::stat(&files::handle(path, at, follow)?)?)));
            }
            Op::ReadLink { path: at } => return Ok(Some(Body::Data(files::readlink(path, at, payload)?))),
            Op::Statfs { path: at } => return Ok(Some(Body::Statfs(files::statfs(path, at)?))),
            Op::Open { path: at, kind } => {
                if !self.allowed.passes || (matches!(kind, OpenKind::Create { .. }) && !self.allowed.writes) {
                    return Err(Failure::NotAllowed.into());
                }
                let (file, stat) = match kind {
                    OpenKind::File => files::regular(path, at)?,
                    OpenKind::Dir => files::directory(path, at)?,
                    OpenKind::Create { mode } => files::create(path, at, mode)?,
                };
                to.send_with(&Reply { id, body: Body::Opened(stat) }, file.as_fd())?;
            }
            Op::Connect { addr } => {
                if !self.allowed.passes {
                    return Err(Failure::NotAllowed.into());
                }
                // Passed on before it is there, so that nobody waits for it here.
                let socket = tunnel::dial(addr)?;
                to.send_with(&Reply { id, body: Body::Connected }, socket.as_fd())?;
            }
            Op::Root { .. } if !self.at_home => return Err(Failure::NotAllowed.into()),
            Op::Root { pid } => {
                // Held before its root is looked for: a number that is used again then leads to an end, not to another.
                let pidfd = files::pidfd(pid)?;
                let root = files::enter_root(path, pid)?;
                self.at_home = false;
                to.watch(pidfd);
                return Ok(Some(Body::Stat(root)));
            }
            Op::Parts { path: at, parts } => {
                let (file, _) = files::regular(path, at)?;
                return Ok(Some(Body::Data(parts::of_file(&file, parts, payload)?)));
            }
            Op::Memory { .. } if !self.allowed.sidecar || self.at_home => return Err(Failure::NotAllowed.into()),
            Op::Memory { pid, parts } => return Ok(Some(Body::Data(parts::of_memory(pid, parts, payload)?))),
            Op::Watch if !to.watches() => return Err(Failure::NotAllowed.into()),
            Op::Watch => self.watch = Some(id),
            // A session's filter has no sockets in it, and one that is still at home has no target.
            Op::Tunnel { .. } if !self.allowed.sidecar || self.allowed.session || self.at_home => {
                return Err(Failure::NotAllowed.into());
            }
            Op::Tunnel { addr, credit } => self.tunnels.open(id, credit, addr)?,
            Op::Put { of, bytes } => {
                if let Err(failure) = self.tunnels.put(of, bytes) {
                    self.tunnels.close(of);
                    to.send(&Reply { id: of, body: Body::Failed(failure) })?;
                }
            }
            Op::Hush { of } => self.tunnels.hush(of),
            Op::Credit { of, chunks } => {
                self.streams.credit(of, chunks);
                self.tunnels.credit(of, chunks);
            }
            Op::Cancel { of } => {
                if self.streams.close(of) || self.tunnels.close(of) {
                    to.send(&Reply { id: of, body: Body::End })?;
                }
            }
        }
        Ok(None)
    }
}

enum Refused {
    Over,
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Over> for Refused {
    fn from(Over: Over) -> Self {
        Self::Over
    }
}
