//! `image`: the toolkit image that a cluster needs.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Serialize;

use super::cp::{here, local};
use super::{Context, output};
use crate::cli::{Image, Toolkit};
use crate::delve::find;
use crate::exit::{Exit, Failure};
use crate::image::{Made, Reference, ReferenceError};
use crate::inspect::files::human_size;
use crate::settings::By;
use crate::text;
use crate::toolkit::{self, Debugger};

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    image: String,
    /// Digest of its manifest; of one that was pushed, as the registry knows it.
    digest: Option<&'a str>,
    id: &'a str,
    architecture: &'a str,
    /// `null` of one that was pushed.
    file: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If it cannot be made, the file not be written, or the engine does not push it.
pub async fn run(context: &Context, command: &Image) -> Result<(), Failure> {
    match command {
        Image::Build { output, toolkit } => {
            let reference = reference(context, toolkit.image.as_deref())?;
            // A name that says it is an archive is that of one; any other is a folder's.
            let whole = is_archive(output);
            let made = make(context, reference, toolkit).await?;
            if whole { as_file(context, &made, output) } else { as_folder(context, &made, output) }
        }
        Image::Save { output, toolkit } => {
            let reference = reference(context, toolkit.image.as_deref())?;
            as_file(context, &make(context, reference, toolkit).await?, output)
        }
        Image::Push { image, debugger } => {
            let toolkit = Toolkit { image: Some(image.clone()), debugger: debugger.clone() };
            push(context, reference(context, Some(image))?, &toolkit).await
        }
    }
}

fn reference(context: &Context, option: Option<&str>) -> Result<Reference, Failure> {
    let (name, by) = toolkit::reference(option, &context.global.kube.settings);
    name.parse().map_err(|error: ReferenceError| {
        let by = match by {
            By::Variable => toolkit::VARIABLE,
            By::File => "the file of settings (scratchdbg config)",
            By::Option | By::Nobody => "the command",
        };
        Failure::new(Exit::Usage, error.to_string()).try_this(format!("{by} names it; write it as REGISTRY/NAME:TAG"))
    })
}

async fn make(context: &Context, reference: Reference, toolkit: &Toolkit) -> Result<Made, Failure> {
    let debugger = if toolkit.debugger.with_debugger {
        let delve = match find::find(toolkit.debugger.dlv.as_deref()).await {
            Ok(found) => {
                let shown = text::escape(found.path.as_os_str().as_bytes());
                let file = File::open(&found.path).map_err(|error| here(&format!("cannot read {shown}"), &error))?;
                Some(file.into())
            }
            // Cores can be taken without it.
            Err(find::Error::None) => {
                context.tell("no Delve (dlv) on this host: the image has none, and is good for cores alone");
                None
            }
            Err(error) => return Err(error.into()),
        };
        Some(Debugger { delve })
    } else {
        None
    };
    Ok(toolkit::make(reference, debugger).await?)
}

fn is_archive(path: &Path) -> bool {
    path.as_os_str() == "-" || path.extension().is_some_and(|extension| extension == "tar")
}

fn as_folder(context: &Context, made: &Made, folder: &Path) -> Result<(), Failure> {
    let shown = text::escape(folder.as_os_str().as_bytes());
    made.write_into(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::DirectoryNotEmpty => {
            Failure::new(Exit::No, format!("{shown} is not empty")).try_this("name a folder that is not there yet")
        }
        _ => here(&format!("cannot write {shown}"), &error),
    })?;
    report(context, made, &made.digest, Some(folder))
}

fn as_file(context: &Context, made: &Made, path: &Path) -> Result<(), Failure> {
    let shown = text::escape(path.as_os_str().as_bytes());
    let archive = made.archive().map_err(|error| Failure::new(Exit::No, format!("cannot write it down: {error}")))?;
    if path.as_os_str() == "-" {
        let mut out = std::io::stdout().lock();
        if out.is_terminal() {
            let told = Failure::new(Exit::Usage, "an archive is nothing for a terminal");
            return Err(told.try_this("pass it on: scratchdbg image save -o - | docker load"));
        }
        return out.write_all(&archive).and_then(|()| out.flush()).map_err(|error| output::failure(&error));
    }
    let failed = |error: std::io::Error| here(&format!("cannot write {shown}"), &error);
    let (parent, name) = local::parent(path).map_err(failed)?;
    if rustix::fs::statat(&parent, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok() && !context.global.yes {
        return Err(Failure::new(Exit::No, format!("{shown} is there already")).try_this("--yes replaces it"));
    }
    let mut staged = local::Staged::new(parent.as_fd(), name).map_err(failed)?;
    staged.file().write_all(&archive).map_err(failed)?;
    // There is nothing in it that is anybody's own.
    staged.keep(name, 0o644).map_err(failed)?;
    context.tell(&format!("{} written to {shown}", human_size(archive.len() as u64)));
    report(context, made, &made.digest, Some(path))
}

async fn push(context: &Context, reference: Reference, toolkit: &Toolkit) -> Result<(), Failure> {
    if context.global.read_only {
        return Err(Failure::new(Exit::NotPermitted, "the image would be pushed, but --read-only forbids that")
            .try_this("leave out --read-only"));
    }
    let engine = context.engine()?;
    let made = make(context, reference, toolkit).await?;
    let archive = made.archive().map_err(|error| Failure::new(Exit::No, format!("cannot write it down: {error}")))?;
    let unreachable = |failure: Failure| match failure.exit {
        Exit::Unreachable => {
            let hint =
                "an engine pushes it; without one: scratchdbg image save -o FILE, and a tool that pushes archives";
            failure.try_this(hint)
        }
        _ => failure,
    };
    engine.load(archive, &made.reference).await.map_err(|error| unreachable(error.into()))?;
    context.tell(&format!("the engine has it now; to take it away there: docker rmi {}", made.reference));
    let digest = engine.push(&made.reference).await.map_err(|error| {
        let hint = format!("if you are not known there, log in: docker login {}", made.reference.registry());
        let failure = unreachable(error.into());
        if failure.exit == Exit::No { failure.try_this(hint) } else { failure }
    })?;
    match digest {
        Some(digest) => report(context, &made, &digest, None),
        None => report_digest(context, &made, None, None),
    }
}

fn report(context: &Context, made: &Made, digest: &str, file: Option<&Path>) -> Result<(), Failure> {
    report_digest(context, made, Some(digest), file)
}

fn report_digest(context: &Context, made: &Made, digest: Option<&str>, file: Option<&Path>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let document = Document {
            image: made.reference.to_string(),
            digest,
            id: &made.id,
            architecture: toolkit::architecture(),
            file: file.map(|file| file.display().to_string()),
        };
        return output::document(&mut out, &document);
    }
    let line = match digest {
        Some(digest) => format!("{}@{digest}", made.reference),
        None => made.reference.to_string(),
    };
    writeln!(out, "{line}").map_err(|error| output::failure(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_archive() {
        for (path, whole) in [("x.tar", true), ("-", true), ("x", false), ("./x/", false), ("x.tar/", true)] {
            assert_eq!(is_archive(Path::new(path)), whole, "{path}");
        }
    }
}
