//! What is printed once an editor can connect.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::super::{Context, output};
use crate::delve::dap::editor::Place;
use crate::exit::Failure;
use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

/// What is known of the process.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    /// How deep it is looked into: `snapshot`, `live`.
    pub(super) depth: &'static str,
    pub(super) pid: ContainerPid,
    pub(super) host_pid: HostPid,
    pub(super) go: Untrusted,
    /// The version of Delve.
    pub(super) delve: Option<String>,
    /// How long the process was stopped, where that is over.
    pub(super) pause_ms: Option<f64>,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    protocol: &'static str,
    address: String,
    #[serde(flatten)]
    facts: &'a Facts,
    /// An entry of VS Code's `launch.json`.
    launch: Option<Value>,
    /// Lines of Lua for nvim-dap.
    nvim: Vec<String>,
}

/// Prints where to connect.
pub(super) fn print(context: &Context, place: &Place<'_>, facts: &Facts) -> Result<(), Failure> {
    let (launch, nvim) = (place.launch_json(), place.nvim());
    let document = Document { protocol: "dap", address: place.address.to_string(), facts, launch, nvim };
    let mut out = std::io::stdout().lock();
    if context.global.json {
        output::document(&mut out, &document)?;
    } else {
        text(&mut out, &document)?;
    }
    out.flush().map_err(|error| output::failure(&error))
}

fn text(out: &mut dyn Write, told: &Document<'_>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| output::failure(&error);
    writeln!(out, "listening at {}", Untrusted::from(told.address.as_str()).safe()).map_err(failed)?;
    if let Some(launch) = &told.launch {
        writeln!(out, "\n// VS Code: .vscode/launch.json, in \"configurations\"").map_err(failed)?;
        output::document(out, launch)?;
    }
    writeln!(out, "\n-- nvim-dap").map_err(failed)?;
    for line in &told.nvim {
        writeln!(out, "{}", Untrusted::from(line.as_str()).safe()).map_err(failed)?;
    }
    Ok(())
}
