//! Whether a Delve is good for a program, before that is touched.

use crate::cli::Dlv;
use crate::commands::Context;
use crate::commands::process::Chosen;
use crate::delve::debugfile::{self, DebugFile, Wanted};
use crate::delve::find::{self, Found};
use crate::delve::version::{self, Gate};
use crate::exit::{Exit, Failure};
use crate::golang::debuginfo::{self, DebugInfo};
use crate::golang::{self, BuildInfo};
use crate::text;

/// A Delve that is.
pub struct Suited<'c> {
    /// It.
    pub found: Found,
    /// What the program says of itself.
    pub go: &'c BuildInfo,
    /// What Delve has to read of the program, and of its debug file.
    pub program: DebugInfo,
    /// What the program lacks.
    pub debug_file: Option<DebugFile>,
}

/// Finds it. Says what there will not be.
pub async fn find<'c>(context: &Context, args: &Dlv, chosen: &'c Chosen) -> Result<Suited<'c>, Failure> {
    let found = find::find(args.dlv.as_deref()).await?;
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
    let debug_file = debugfile::find(&program, wanted).await.map_err(|error| Failure::from(error).on(&name))?;
    let program = debug_file.as_ref().map_or(program, |file| file.with(&program));
    if let Some(file) = &debug_file {
        context.tell(&format!("{name}: debug file {}", text::escape(file.path.as_os_str().as_encoded_bytes())));
    }
    match version::gate(found.version, version::go_minor(go.go_version.safe().as_str()), program.stripped) {
        Gate::Refused(why) => return Err(Failure::from(why).on(name)),
        Gate::Limited(limits) => context.tell(&format!(
            "{name}: {}; there will be no {}. There will be {}; {}",
            limits.why, limits.without, limits.with, limits.help
        )),
        Gate::Good => {}
    }
    Ok(Suited { found, go, program, debug_file })
}
