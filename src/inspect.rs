//! Readings: what the shim's bytes say about processes, files, sockets and mounts.
//!
//! Every function takes the [`Shim`](crate::shim::Shim) and gives plain data; commands print it and
//! screens draw it. What is parsed here is hostile: it comes from inside a container.

pub mod files;
pub mod kind;
pub mod network;
pub mod process;
pub mod processes;
pub mod users;
