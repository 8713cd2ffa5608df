//! `dlv`: Delve on a live process, under guard, or on a snapshot of it; for `dlv connect` or for an editor.

mod connect;
mod dap;
mod live;
mod snapshot;
mod suited;
mod told;

use super::signals::Signals;
use super::{Context, process};
use crate::cli::Dlv;
use crate::delve::listen::{Address, Listener};
use crate::exit::{Exit, Failure};

/// Runs the command.
///
/// # Errors
/// If there is no such process, or no dlv that is good for it.
pub async fn run(context: &Context, args: &Dlv) -> Result<(), Failure> {
    if context.global.read_only {
        let message = "dlv stops the process, and --read-only forbids that";
        return Err(Failure::new(Exit::Usage, message));
    }
    if args.snapshot {
        return snapshot::run(context, args).await;
    }
    let chosen = process::choose(context, &args.target, args.pid).await?;
    let session = live::Session::new(context, args, &chosen).await?;
    if args.dap {
        dap::run(context, args, &chosen, &session).await
    } else {
        connect::run(context, args, &chosen, &session).await
    }
}

/// Begins to listen, before anything is done to anybody.
async fn listen(context: &Context, args: &Dlv) -> Result<Listener, Failure> {
    let address = match &args.listen {
        Some(address) => address.clone(),
        None if args.dap => Address::Tcp(std::net::SocketAddr::from(([127, 0, 0, 1], 0))),
        // In no folder: it is gone with this process, however that ends.
        None => Address::Unix(format!("@scratchdbg-{}", std::process::id()).into()),
    };
    let listener = Listener::bind(&address).await?;
    if listener.address().is_open_to_others() {
        context.tell(&format!(
            "warning: whoever reaches {} over the network reads all that the process has in memory",
            listener.address()
        ));
    }
    Ok(listener)
}
