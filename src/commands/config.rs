//! `config`: what is settled for all commands.

use std::io::Write as _;

use serde::Serialize;

use super::{Context, output};
use crate::exit::Failure;
use crate::settings::{self, By};
use crate::toolkit;

/// The JSON document.
#[derive(Serialize)]
struct Document {
    /// `null` without a home folder. It need not be there.
    path: Option<String>,
    kubernetes: Kubernetes,
}

#[derive(Serialize)]
struct Kubernetes {
    image: Setting,
}

#[derive(Serialize)]
struct Setting {
    value: String,
    /// `option`, `variable`, `file` or `nobody`.
    by: &'static str,
}

/// Runs the command.
///
/// # Errors
/// If nobody reads it.
pub fn run(context: &Context) -> Result<(), Failure> {
    let kube = &context.global.kube;
    let (path, image) = (settings::path(), toolkit::reference(kube.image.as_deref(), &kube.settings));
    let mut out = std::io::stdout().lock();
    if !context.global.json {
        return out
            .write_all(settings::show(path.as_deref(), &image).as_bytes())
            .map_err(|error| output::failure(&error));
    }
    let by = match image.1 {
        By::Option => "option",
        By::Variable => "variable",
        By::File => "file",
        By::Nobody => "nobody",
    };
    let image = Setting { value: image.0, by };
    let path = path.map(|path| path.display().to_string());
    output::document(&mut out, &Document { path, kubernetes: Kubernetes { image } })
}
