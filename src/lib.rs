//! scratchdbg looks inside running containers that have no shell. Start reading in `docs/architecture.md`.

pub mod activity;
pub mod cli;
pub mod commands;
pub mod corefile;
pub mod debuggee;
pub mod delve;
pub mod doctor;
pub mod door;
pub mod engine;
pub mod entry;
pub mod exit;
pub mod golang;
pub mod inspect;
pub mod invoker;
pub mod logs;
pub mod programs;
pub mod shim;
pub mod sys;
pub mod target;
pub mod text;
pub mod tui;
#[path = "../shim/src/wire.rs"]
pub mod wire;
