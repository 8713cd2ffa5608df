//! Ports of this host that lead to ports inside a target's network, what listens on its loopback alone included.
//!
//! What a connection is made with is found out by `entry::reach`; [`Network`] makes one of it, [`Forward`] listens here and carries
//! the bytes. Nothing here is believed of what comes from inside: it is passed on and not looked at.

mod error;
mod network;
mod serve;
mod wanted;

pub use self::error::Error;
pub use self::network::{Connection, Listening, Network};
pub use self::serve::{Ended, Event, Forward, MOST, Places};
pub use self::wanted::Wanted;
