//! For `dlv connect`: one client after the other.

use super::super::Context;
use super::super::process::Chosen;
use super::told::{self, Facts};
use super::{Signals, live};
use crate::cli::Dlv;
use crate::delve::listen::{Error, Listener, Stream};
use crate::delve::relay::{self, Terms};
use crate::exit::Failure;

/// Serves clients on a live process. Delve is attached when one has come, so that nothing is stopped for nobody.
pub(super) async fn run(
    context: &Context,
    args: &Dlv,
    chosen: &Chosen,
    session: &live::Session,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let listener = super::listen(context, args).await?;
    told::print_connect(context, listener.address(), &Facts::live(chosen))?;
    loop {
        let client = tokio::select! {
            client = client(context, &listener) => client?,
            () = signals.next() => return Ok(()),
        };
        let (guarded, delve) = session.attach(context, chosen).await?;
        let mut is_last = false;
        let terms = Terms { may_kill: args.may_kill, may_call: args.may_call };
        let work = async {
            is_last = tokio::select! {
                _ = relay::run(client, delve, terms) => false,
                () = signals.next() => true,
            };
        };
        session.until(context, chosen, guarded, work).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// The next client.
pub(super) async fn client(context: &Context, listener: &Listener) -> Result<Box<dyn Stream>, Failure> {
    loop {
        match listener.accept().await {
            Err(error @ Error::Stranger { .. }) => context.tell(&error.to_string()),
            accepted => return Ok(accepted?),
        }
    }
}
