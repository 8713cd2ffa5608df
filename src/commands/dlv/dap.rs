//! For editors: what a snapshot and a live process have in common, and the live one.

use super::super::Context;
use super::super::process::Chosen;
use super::told::{self, Facts};
use super::{Signals, live};
use crate::cli::Dlv;
use crate::delve::dap::client::Client;
use crate::delve::dap::editor::Place;
use crate::delve::dap::proxy::{Subject, Terms};
use crate::delve::dap::serve::{How, Outcome, Session};
use crate::delve::listen::Listener;
use crate::exit::{Exit, Failure};
use crate::golang::BuildInfo;

/// Serves one editor on a live process. Delve is attached when it has come, so that nothing is stopped for nobody.
pub(super) async fn run(
    context: &Context,
    args: &Dlv,
    chosen: &Chosen,
    session: &live::Session,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let listener = super::listen(context, args).await?;
    let module = chosen.go.as_ref().ok().and_then(trimmed);
    let name = chosen.target.name();
    let place = Place { name: &name, address: listener.address(), rules: &args.path_map, module: module.as_deref() };
    told::print(context, &place, &Facts::live(chosen))?;
    let client = tokio::select! {
        client = editor(context, &listener) => client?,
        () = signals.next() => return Ok(()),
    };
    let (guarded, delve) = match session.attach(context, chosen).await {
        Ok(attached) => attached,
        Err(failure) => {
            client.refuse(&failure.message).await;
            return Err(failure);
        }
    };
    let mut outcome = None;
    let work = Box::pin(async {
        let proxied =
            Session { client, delve, terms: terms(args, Subject::Live), last_words: std::future::ready(None) };
        outcome = Some(proxied.run(&listener, signals.next()).await);
    });
    session.until(context, chosen, guarded, work).await?;
    outcome.map_or(Ok(()), |outcome| report(context, &outcome))
}

/// What an editor may do.
pub(super) fn terms(args: &Dlv, subject: Subject) -> Terms {
    Terms { subject, rules: args.path_map.clone(), may_kill: args.may_kill, may_call: args.may_call }
}

/// The first editor that connects.
pub(super) async fn editor(context: &Context, listener: &Listener) -> Result<Client, Failure> {
    let client = Client::accept(listener, |line| context.tell(line)).await?;
    context.tell("an editor has connected");
    Ok(client)
}

/// The module that the program knows its sources by: then they begin with its path, and not with a folder of whoever built
/// it.
pub(super) fn trimmed(go: &BuildInfo) -> Option<String> {
    let trimmed = go.setting("-trimpath").is_some_and(|value| value.bytes() == b"true");
    go.main.as_ref().filter(|_| trimmed).map(|main| main.path.lossy().into_owned())
}

/// Says how a session went.
pub(super) fn report(context: &Context, outcome: &Outcome) -> Result<(), Failure> {
    match &outcome.how {
        How::Disconnected => context.tell("the editor has disconnected"),
        How::ClientGone(error) => context.tell(&format!("the editor has gone: {error}")),
        How::Stopped => context.tell("ended by a signal"),
        How::DelveGone(_) => return Err(Failure::new(Exit::No, "delve has ended before the editor did")),
    }
    Ok(())
}
