//! An editor on a snapshot: the process is stopped for milliseconds, and runs on while somebody looks.

use std::fs::File;
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::net::UnixStream;

use super::super::process;
use super::super::{Context, core};
use super::suited::{self, Suited};
use super::told::{self, Facts};
use super::{Signals, connect, dap};
use crate::cli::Dlv;
use crate::debuggee;
use crate::delve::core as delve_core;
use crate::delve::core::{Opened, Source};
use crate::delve::dap::editor::Place;
use crate::delve::dap::proxy::Subject;
use crate::delve::dap::serve::{How, Session};
use crate::delve::find;
use crate::delve::listen::Listener;
use crate::delve::relay::{self, Terms};
use crate::exit::{Exit, Failure};
use crate::inspect::files::human_size;

/// How long the process may be stopped at most; what is not copied by then is left out.
const PAUSE: Duration = Duration::from_secs(1);
/// Takes the snapshot, prints where to connect, and serves one editor.
pub(super) async fn run(context: &Context, args: &Dlv) -> Result<(), Failure> {
    // From now on a signal ends it in order: a unix socket's file is taken away.
    let mut signals = Signals::new()?;
    let mut end = pin!(signals.next());
    let (listener, delve, opened) = tokio::select! {
        ready = prepare(context, args) => ready?,
        () = &mut end => return Err(Failure::new(Exit::No, "ended before an editor could connect")),
    };
    serve(context, args, &listener, delve, opened, end).await
}

async fn prepare(context: &Context, args: &Dlv) -> Result<(Listener, UnixStream, Opened), Failure> {
    let listener = super::listen(context, args).await?;
    let chosen = process::choose(context, &args.target, args.pid).await?;
    let suited = suited::find(context, args, &chosen, false).await?;
    let Suited { program_file, version, go, debug_file, .. } = suited;
    let dlv = program_file.ok_or_else(|| Failure::from(find::Error::None))?;
    let program = debuggee::program(&chosen.entered.shim, chosen.process.pid).await?;
    let core = memory_file("scratchdbg-core")?;
    let out = core.try_clone().map_err(|error| no_memory(&error))?;
    let taken = core::take(context, &chosen, core::terms(None, PAUSE), out.into()).await?;
    if taken.written.left_out > 0 {
        let left_out = human_size(taken.written.left_out);
        context.tell(&format!("left out: {left_out} for want of time or room; what is there can be looked at"));
    }
    let order = delve_core::Order {
        dlv: &dlv,
        program: Source::Open(program.into()),
        core: Source::Open(core.into()),
        debug_file: debug_file.as_ref(),
    };
    let (delve, opened) = delve_core::connect(order).await?;

    let facts = Facts {
        depth: "snapshot",
        pid: chosen.process.pid,
        host_pid: chosen.process.host,
        go: go.go_version.clone(),
        delve: Some(version.to_string()),
        pause_ms: Some(core::milliseconds(taken.thawed.stopped)),
    };
    if args.dap {
        let (module, name) = (dap::trimmed(go), format!("{} (snapshot)", chosen.target.name()));
        let place =
            Place { name: &name, address: listener.address(), rules: &args.path_map, module: module.as_deref() };
        told::print(context, &place, &facts)?;
    } else {
        told::print_connect(context, listener.address(), &facts)?;
    }
    Ok((listener, delve, opened))
}

async fn serve(
    context: &Context,
    args: &Dlv,
    listener: &Listener,
    delve: UnixStream,
    mut opened: Opened,
    mut end: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Failure> {
    if !args.dap {
        // Nothing in a core runs, and nobody is there to be killed.
        let terms = Terms { may_kill: true, may_call: true };
        return tokio::select! {
            client = connect::client(context, listener) => {
                let client = client?;
                tokio::select! {
                    _ = relay::run(client, delve, terms) => {}
                    () = end => {}
                }
                Ok(())
            }
            () = &mut end => Ok(()),
            () = opened.ended() => Err(delve_core::Error::Ended(opened.last_words().await).into()),
        };
    }
    let client = tokio::select! {
        client = dap::editor(context, listener) => client?,
        () = &mut end => return Ok(()),
        () = opened.ended() => return Err(delve_core::Error::Ended(opened.last_words().await).into()),
    };
    let last_words = async { Some(opened.last_words().await.into_string()) };
    let session = Session { client, delve, terms: dap::terms(args, Subject::Core), last_words };
    let outcome = session.run(listener, end).await;
    if let How::DelveGone(_) = outcome.how {
        return Err(delve_core::Error::Ended(opened.last_words().await).into());
    }
    dap::report(context, &outcome)
}

fn memory_file(name: &str) -> Result<File, Failure> {
    memfd_create(name, MemfdFlags::CLOEXEC).map(File::from).map_err(|error| no_memory(&error.into()))
}

fn no_memory(error: &io::Error) -> Failure {
    Failure::new(Exit::No, format!("cannot keep the snapshot in memory: {error}"))
}
