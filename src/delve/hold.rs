//! Who watches over a process that Delve has stopped.

use std::future::Future;

/// Who keeps watch over a live process while Delve has it stopped. A core has [`Nobody`].
pub trait Hold: Send + Sync + 'static {
    /// To be awaited before anything is sent to Delve that lets the target run: continue, next, step, call, detach.
    fn before_run(&self) -> impl Future<Output = ()> + Send;

    /// To be called when Delve has said that the target is stopped.
    fn stopped(&self);
}

/// Nobody needs to watch: nothing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nobody;

impl Hold for Nobody {
    async fn before_run(&self) {}

    fn stopped(&self) {}
}
