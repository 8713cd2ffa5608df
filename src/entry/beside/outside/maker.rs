//! A sidecar that is made to debug, and goes with its connection.

use tokio::net::UnixStream;

use super::{Begun, Programs};
use crate::engine::Container;
use crate::engine::docker::Docker;
use crate::engine::docker::sidecar::{Recipe, Sidecar};
use crate::entry::Error;
use crate::entry::beside::identity::Who;
use crate::entry::beside::{COMMAND, DEBUG_FILE, DELVE, PROGRAM, SCRATCH, pack};
use crate::entry::plan::Capability;
use crate::entry::sidecar::pump;
use crate::toolkit;

/// What is asked of the engine at most, in bytes.
const MOST_ROOM: u64 = 1 << 50;

/// Where sidecars are made that debug.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Whose engine it is.
    pub engine: Docker,
    /// Beside whom.
    pub container: Container,
}

impl Maker {
    /// Makes one, with this program in it, and Delve for a session. It may take so much memory, in bytes.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn begin(&self, who: &Who, programs: Option<&Programs>, room: u64) -> Result<Begun, Error> {
        let target = || self.container.name.clone();
        let engine = |cause| Error::Engine { target: target(), cause };
        let theirs = self.engine.architecture().await.map_err(engine)?;
        if !is_ours(&theirs) {
            return Err(Error::Architecture { target: target(), theirs });
        }
        let packed = |error: pack::Error| Error::Packed { target: target(), why: error.to_string() };
        let mut files = pack::own(PROGRAM, 0o111).await.map_err(packed)?;
        if let Some(delve) = programs.and_then(|programs| programs.delve.as_ref()) {
            let delve = delve.try_clone().map_err(|source| pack::Error::Read { what: "dlv".to_owned(), source });
            let more = pack::program(DELVE, 0o555, delve.map_err(packed)?, "dlv").await;
            pack::add(&mut files, more.map_err(packed)?);
        }
        if let Some(file) = programs.and_then(|programs| programs.debug_file.as_ref()) {
            files.push(pack::plain(DEBUG_FILE, file, "the debug file").map_err(packed)?);
        }
        let capabilities = Capability::names(who.capabilities);
        let recipe = Recipe {
            target: self.container.id.clone(),
            pid_mode: self.container.pid_mode.clone(),
            network_mode: None,
            userns_mode: self.container.userns_mode.clone(),
            files,
            arguments: vec![COMMAND.to_owned()],
            memory: i64::try_from(room.min(MOST_ROOM)).unwrap_or(i64::MAX),
            scratch: Some(SCRATCH),
            user: format!("{}:{}", who.ids.uid, who.ids.gid),
            groups: who.ids.groups.iter().map(u32::to_string).collect(),
            capabilities: capabilities.iter().map(|name| name.trim_start_matches("CAP_").to_owned()).collect(),
        };
        let Sidecar { output, input, made, rest, .. } = self.engine.sidecar(recipe).await.map_err(engine)?;
        let failed = |_: std::io::Error| Error::BesideEnded { beside: format!("the sidecar beside {}", target()) };
        let (socket, theirs) = UnixStream::pair().map_err(failed)?;
        tokio::spawn(pump::run(theirs, output, input, made, rest));
        Ok(Begun { socket, why: None, ids: who.becomes.clone(), keep: Capability::SysPtrace.bit() })
    }
}

/// Whether programs of this host run there. Engines name architectures as Go does.
fn is_ours(architecture: &str) -> bool {
    [toolkit::architecture(), std::env::consts::ARCH].contains(&architecture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures() {
        let ours = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        assert!(is_ours(ours) && is_ours(std::env::consts::ARCH));
        assert!(!is_ours("riscv64") && !is_ours(""));
    }
}
