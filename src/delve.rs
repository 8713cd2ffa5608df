//! Delve: which one, what it can do with a program, and how it is spoken to.
//!
//! Delve listens on a unix socket, and we are its single client: when our end closes, it lets go of the process and
//! ends. It speaks JSON-RPC, whose strings come from the target's memory. [`model`] has what a debugger knows in our
//! own terms, [`client`] the calls, sorted by whether the process is stopped.

pub mod client;
pub mod core;
pub mod cost;
pub mod dap;
pub mod debugfile;
pub mod find;
pub mod guard;
pub mod listen;
pub mod model;
pub mod relay;
pub mod rpc;
pub mod version;
