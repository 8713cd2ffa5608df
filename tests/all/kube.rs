//! Pods: real containers behind an API server of our own.

mod frames;
mod kubectl;
mod look;
mod looker;
mod pods;
mod refusals;
mod sample;
mod screen;
mod waits;
