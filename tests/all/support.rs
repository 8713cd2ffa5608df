//! What the black-box tests stand on.

pub mod command;
pub mod container;
pub mod engine;
pub mod held;
pub mod process;
pub mod pty;
pub mod pty_modes;
pub mod residue;
pub mod skip;
pub mod unprivileged;
pub mod wait;
