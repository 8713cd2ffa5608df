//! The black-box tests: the real binary, real containers, a real terminal. One test binary, so that it links once.
//!
//! How to write one: start a container with [`support::container::Run`], take a [`support::residue::Residue`]
//! around what enters it, run the binary with [`support::command::scratchdbg`] or
//! [`support::pty::Terminal::scratchdbg`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod activity;
mod answers;
mod attacks;
mod beside;
mod check;
mod copies;
mod core;
mod cri;
mod dap;
mod debug_tab;
mod delve_versions;
mod doctor;
mod endless;
mod forward;
mod go;
mod goroutines;
mod guarded;
mod harness;
mod hostile;
mod invoker;
mod killed;
mod kube;
mod matrix;
mod names;
mod native;
mod powerless;
mod readings;
mod remote;
mod screen;
mod settings;
mod shim_elf;
mod sidecar;
mod toolkit;
mod untouched;
// The next test may need what no test uses today.
#[allow(dead_code)]
mod support;
