//! Pods: real containers behind an API server of our own.

mod frames;
mod kubectl;
mod pods;
mod sample;
