//! Delve.

pub mod guard;
pub mod relay;
