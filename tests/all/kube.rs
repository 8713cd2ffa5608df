//! Pods: real containers behind an API server of our own.

mod look;
mod looker;
mod refusals;
mod screen;
mod waits;
