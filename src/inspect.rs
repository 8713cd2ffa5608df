//! Readings: what the shim's bytes say about processes, files, sockets and mounts.
//!
//! Every function takes the [`Shim`](crate::shim::Shim) and gives plain data; commands print it and
//! screens draw it. What is parsed here is hostile: it comes from inside a container. So each parser is a function over
//! `&[u8]` that cannot fail as a whole (what it does not understand it leaves out), and each reading is bounded;
//! the bounds stand beside the readings.

pub mod error;
pub mod fetch;
pub mod files;
pub mod kind;
pub mod network;
pub mod process;
pub mod processes;
pub mod threads;
pub mod users;

pub use error::Error;

#[cfg(test)]
mod tests;
