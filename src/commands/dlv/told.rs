//! What is printed once an editor can connect.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::super::process::Chosen;
use super::super::{Context, output};
use crate::delve::dap::editor::Place;
use crate::delve::listen::Address;
use crate::exit::Failure;
use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

/// What is known of the process.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    /// How deep it is looked into: `snapshot`, `live`.
    pub(super) depth: &'static str,
    pub(super) pid: ContainerPid,
    pub(super) host_pid: Option<HostPid>,
    pub(super) go: Untrusted,
    /// The version of Delve.
    pub(super) delve: Option<String>,
    /// How long the process was stopped, where that is over.
    pub(super) pause_ms: Option<f64>,
}

impl Facts {
    /// Of a live process, before Delve has been attached.
    pub(super) fn live(chosen: &Chosen) -> Self {
        let go = chosen.go.as_ref().map(|go| go.go_version.clone()).unwrap_or_default();
        let (pid, host_pid) = (chosen.process.pid, chosen.process.host);
        Self { depth: "live", pid, host_pid, go, delve: None, pause_ms: None }
    }
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    protocol: &'static str,
    address: String,
    #[serde(flatten)]
    facts: &'a Facts,
    #[serde(flatten)]
    ways: Ways,
}

/// How to connect.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Ways {
    Connect {
        /// The whole command.
        connect: String,
    },
    Editor {
        /// An entry of VS Code's `launch.json`.
        launch: Option<Value>,
        /// Lines of Lua for nvim-dap.
        nvim: Vec<String>,
    },
}

/// Prints where to connect.
pub(super) fn print(context: &Context, place: &Place<'_>, facts: &Facts) -> Result<(), Failure> {
    let ways = Ways::Editor { launch: place.launch_json(), nvim: place.nvim() };
    show(context, &Document { protocol: "dap", address: place.address.to_string(), facts, ways })
}

/// The same for `dlv connect`.
pub(super) fn print_connect(context: &Context, address: &Address, facts: &Facts) -> Result<(), Failure> {
    let ways = Ways::Connect { connect: format!("dlv connect {address}") };
    show(context, &Document { protocol: "json-rpc", address: address.to_string(), facts, ways })
}

fn show(context: &Context, document: &Document<'_>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        output::document(&mut out, document)?;
    } else {
        text(&mut out, document)?;
    }
    out.flush().map_err(|error| output::failure(&error))
}

fn text(out: &mut dyn Write, told: &Document<'_>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| output::failure(&error);
    let safe = |line: &str| Untrusted::from(line).safe();
    let (launch, nvim) = match &told.ways {
        Ways::Connect { connect } => return writeln!(out, "{}", safe(connect)).map_err(failed),
        Ways::Editor { launch, nvim } => (launch, nvim),
    };
    writeln!(out, "listening at {}", safe(&told.address)).map_err(failed)?;
    if let Some(launch) = launch {
        writeln!(out, "\n// VS Code: .vscode/launch.json, in \"configurations\"").map_err(failed)?;
        output::document(out, launch)?;
    }
    writeln!(out, "\n-- nvim-dap").map_err(failed)?;
    for line in nvim {
        writeln!(out, "{}", safe(line)).map_err(failed)?;
    }
    Ok(())
}
