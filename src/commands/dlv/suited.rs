//! Whether a Delve is good for a program, before that is touched.

use std::path::PathBuf;

use crate::cli::Dlv;
use crate::commands::Context;
use crate::commands::process::Chosen;
use crate::delve::debugfile::{self, DebugFile, Wanted};
use crate::delve::find;
use crate::delve::version::{self, Gate, Version};
use crate::entry;
use crate::exit::{Exit, Failure};
use crate::golang::debuginfo::{self, DebugInfo};
use crate::golang::{self, BuildInfo};
use crate::text;

/// A Delve that is.
pub struct Suited<'c> {
    /// Its program, if it is one of this host.
    pub program_file: Option<PathBuf>,
    /// What it is called, for a person.
    pub name: String,
    /// What it says it is.
    pub version: Version,
    /// What the program says of itself.
    pub go: &'c BuildInfo,
    /// What Delve has to read of the program, and of its debug file.
    pub program: DebugInfo,
    /// What the program lacks.
    pub debug_file: Option<DebugFile>,
}

/// Finds it, for the process itself if `live`, else for a copy that is here. Says what there will not be.
pub async fn find<'c>(context: &Context, args: &Dlv, chosen: &'c Chosen, live: bool) -> Result<Suited<'c>, Failure> {
    let tracer = &chosen.entered.tracer;
    let own = if live { tracer.own_delve(args.dlv.is_some()).await? } else { None };
    let takes_debug_files = !live || tracer.takes_debug_files();
    if !takes_debug_files && (args.debug_file.is_some() || !args.debug_dir.is_empty()) {
        return Err(entry::Error::no_debug_file().into());
    }
    let (program_file, shown, version) = if let Some(own) = own {
        (None, own.name, own.version)
    } else {
        let found = find::find(args.dlv.as_deref()).await?;
        let shown = text::escape(found.path.as_os_str().as_encoded_bytes());
        (Some(found.path), shown, found.version)
    };
    let name = chosen.target.name();
    let go = match &chosen.go {
        Ok(go) => go,
        Err(error) => {
            let message = format!("cannot debug the program of {name}, process {}: {error}", chosen.process.pid);
            return Err(Failure::new(Exit::No, message)
                .try_this(format!("scratchdbg core {name} -o FILE takes a core for gdb or lldb")));
        }
    };
    let of_program = |error: golang::Error| Failure::from(error).on(format!("the program of {name}"));
    let program = debuginfo::of_process(&chosen.entered.shim, chosen.process.pid).await.map_err(of_program)?;
    let wanted = Wanted { file: args.debug_file.as_deref(), directories: &args.debug_dir };
    let debug_file = if takes_debug_files {
        debugfile::find(&program, wanted).await.map_err(|error| Failure::from(error).on(&name))?
    } else {
        None
    };
    let program = debug_file.as_ref().map_or(program, |file| file.with(&program));
    if let Some(file) = &debug_file {
        context.tell(&format!("{name}: debug file {}", text::escape(file.path.as_os_str().as_encoded_bytes())));
    }
    match version::gate(version, version::go_minor(go.go_version.safe().as_str()), program.stripped) {
        Gate::Refused(why) => return Err(Failure::from(why).on(name)),
        Gate::Limited(limits) => context.tell(&format!(
            "{name}: {}; there will be no {}. There will be {}; {}",
            limits.why, limits.without, limits.with, limits.help
        )),
        Gate::Good => {}
    }
    Ok(Suited { program_file, name: shown, version, go, program, debug_file })
}
