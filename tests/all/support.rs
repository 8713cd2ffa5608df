//! What the black-box tests stand on.

#[cfg(feature = "tls")]
pub mod certificates;
pub mod client;
pub mod command;
pub mod container;
pub mod dice;
pub mod editor;
pub mod engine;
pub mod go;
pub mod held;
pub mod kubectl;
pub mod layout;
pub mod process;
pub mod pty;
pub mod pty_modes;
pub mod residue;
pub mod runtime;
pub mod skip;
#[cfg(feature = "tls")]
pub mod tls_port;
pub mod unprivileged;
pub mod wait;
