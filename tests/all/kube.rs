//! Pods: real containers behind an API server of our own.

mod copy;
mod debug;
mod fleet;
mod frames;
mod krew;
mod kubectl;
mod look;
pub mod looker;
mod picker;
mod pods;
mod proxy;
mod refusals;
mod sample;
mod screen;
mod waits;
