//! `dlv`: Delve on a live process, under guard.

mod dap;
mod live;
mod snapshot;
mod told;

use std::io::Write as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener as StdUnixListener};

use serde::Serialize;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::process::{self, Chosen};
use super::{Context, output};
use crate::cli::Dlv;
use crate::delve::relay;
use crate::exit::{Exit, Failure};
use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

/// The JSON document.
#[derive(Serialize)]
struct Document {
    pid: ContainerPid,
    host_pid: HostPid,
    go: Option<Untrusted>,
    address: String,
}

/// Runs the command.
///
/// # Errors
/// If there is no such process, or no dlv that is good for it.
pub async fn run(context: &Context, args: &Dlv) -> Result<(), Failure> {
    if args.snapshot {
        return snapshot::run(context, args).await;
    }
    if context.global.read_only {
        let message = "dlv stops the process, and --read-only forbids that";
        return Err(Failure::new(Exit::Usage, message));
    }
    let chosen = process::choose(context, &args.target, args.pid, "debug").await?;
    let session = live::Session::new(context, args, &chosen).await?;
    if args.dap {
        return dap::run(context, args, &chosen, &session).await;
    }
    // Without a name in any folder: it is gone with this process, however that ends.
    let name = format!("scratchdbg-{}-{}", std::process::id(), chosen.host);
    let listener = listen(&name).map_err(|error| Failure::new(Exit::No, format!("cannot listen: {error}")))?;
    announce(context, &chosen, format!("unix:@{name}"))?;
    let mut asked_to_end = Signals::new()?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = asked_to_end.next() => return Ok(()),
        };
        let (client, _) =
            accepted.map_err(|error| Failure::new(Exit::No, format!("cannot take a connection: {error}")))?;
        if !client.peer_cred().is_ok_and(|peer| is_of_ours(peer.uid())) {
            context.tell("a connection of another user was turned away");
            continue;
        }
        let (guarded, delve) = session.attach(context, &chosen).await?;
        let mut is_last = false;
        let work = async {
            is_last = tokio::select! {
                _ = relay::run(client, delve, relay::Terms { may_kill: args.may_kill, may_call: args.may_call }) => false,
                () = asked_to_end.next() => true,
            };
        };
        session.until(context, &chosen, guarded, work).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// What a terminal and others send to end a program.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::No, format!("cannot wait for signals: {error}"));
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [first, second, third] = kinds.map(|kind| signal(kind).map_err(failed));
        Ok(Self([first?, second?, third?]))
    }

    async fn next(&mut self) {
        let Self([first, second, third]) = self;
        tokio::select! { _ = first.recv() => {}, _ = second.recv() => {}, _ = third.recv() => {} }
    }
}

fn listen(name: &str) -> std::io::Result<UnixListener> {
    let listener = StdUnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Whether a user may do all that we may.
fn is_of_ours(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

fn announce(context: &Context, chosen: &Chosen, address: String) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let go = chosen.go.as_ref().ok().map(|info| info.go_version.clone());
        let document = Document { pid: chosen.pid, host_pid: chosen.host, go, address };
        return output::document(&mut out, &document);
    }
    writeln!(out, "dlv connect {address}").map_err(|error| output::failure(&error))
}
