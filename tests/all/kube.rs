//! Pods: real containers behind an API server of our own.

mod kubectl;
mod pods;
mod sample;
