//! The signals that end a command which runs until it is told to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};

/// What a terminal and others send to end a program.
pub(super) struct Signals([Signal; 3]);

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::No, format!("cannot wait for signals: {error}"));
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [first, second, third] = kinds.map(|kind| signal(kind).map_err(failed));
        Ok(Self([first?, second?, third?]))
    }

    pub(super) async fn next(&mut self) {
        let Self([first, second, third]) = self;
        tokio::select! { _ = first.recv() => {}, _ = second.recv() => {}, _ = third.recv() => {} }
    }
}
