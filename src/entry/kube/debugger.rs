//! The debugger in the container of a pod: this very program, begun there by an exec, and Delve.
//!
//! It is as whoever the container is, and becomes nobody else: what the kernel asks of a tracer has to be there from the start.

use nix::errno::Errno;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::{Error, pump};
use crate::activity::Journal;
use crate::delve::version::Version;
use crate::door::Door;
use crate::engine::kube::{self, Cluster, Exec, Pod, holding};
use crate::entry::beside::outside::{Begun, Programs};
use crate::entry::beside::{COMMAND, DELVE, PROGRAM};
use crate::entry::kube::level::Level;
use crate::entry::status::Status;
use crate::shim::Shim;
use crate::text::Untrusted;

/// What Delve says of itself has some hundred bytes.
const SAID: u64 = 4 << 10;

/// Where it is begun.
#[derive(Debug, Clone)]
pub struct Debugger {
    pub(super) cluster: Cluster,
    pub(super) pod: Pod,
    /// The container's name.
    pub(super) holder: String,
    /// As whom it runs.
    pub(super) level: Level,
    pub(super) there: There,
    pub(super) journal: Journal,
}

/// Which of its programs the container's image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct There {
    /// This one.
    program: bool,
    /// Delve.
    delve: bool,
}

impl There {
    /// Nothing: in a copy the program does not run, and who holds its place is not looked into.
    pub const IN_COPY: Self = Self { program: false, delve: false };

    /// Looks, as long as the helper still is in its own container.
    pub async fn look(shim: &Shim) -> Self {
        let is_there = async |path: &str| shim.stat(path.as_bytes(), true).await.is_ok();
        let (program, delve) = futures_util::join!(is_there(PROGRAM), is_there(DELVE));
        Self { program, delve }
    }
}

impl Debugger {
    /// The full name of whom it debugs.
    #[must_use]
    pub fn target(&self) -> String {
        self.pod.container.name.clone()
    }

    /// The name of the container that it is in.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Begins it, for a process that is like this: for a session of Delve, or for a core. `restricted` is that Yama lets only those
    /// trace that have a capability.
    ///
    /// # Errors
    /// If it is not there, or could not trace that process, or the cluster does not begin it.
    pub async fn begin(&self, process: &Status, restricted: bool, session: Option<&Programs>) -> Result<Begun, Error> {
        if !self.there.program {
            return Err(self.without(PROGRAM));
        }
        if session.is_some() && !self.there.delve {
            return Err(self.without(DELVE));
        }
        if session.is_some_and(|programs| programs.debug_file.is_some()) {
            return Err(Error::DebugFile);
        }
        let keep = kept(&self.level, process, restricted).map_err(|why| Error::Untraceable {
            name: self.pod.container.name.clone(),
            identity: self.level.identity(),
            why,
        })?;
        let what = format!("begin a debugger in {} of pod {}/{}", self.holder, self.pod.namespace, self.pod.pod);
        let step = self.journal.begin(Some(Door::Kube), &what, Some("it ends with its connection"));
        let begun = async {
            let exec = self.exec(&[PROGRAM, COMMAND]).await?;
            let failed = |error: std::io::Error| self.not_begun(error.to_string());
            let (socket, theirs) = UnixStream::pair().map_err(failed)?;
            Ok((exec, socket, theirs))
        };
        let begun: Result<_, Error> = begun.await;
        let made = step.end(&begun);
        let (exec, socket, theirs) = begun?;
        let (tell, why) = oneshot::channel();
        // The process does not end before the target was let go.
        let promise = holding::promise().await;
        tokio::spawn(async move {
            // Never cut: what it does takes as long as it takes.
            let (_cut, is_cut) = oneshot::channel();
            let ended = pump::run(theirs, exec, is_cut).await;
            made.undone();
            drop(promise);
            // Nobody may be waiting for it.
            let _ = tell.send(ended);
        });
        Ok(Begun { socket, why: Some(why), ids: None, keep })
    }

    /// Which Delve is there.
    ///
    /// # Errors
    /// If there is none, or it does not say.
    pub async fn delve(&self) -> Result<Version, Error> {
        if !self.there.program || !self.there.delve {
            return Err(self.without(if self.there.program { DELVE } else { PROGRAM }));
        }
        let Exec { output, end, held, .. } = self.exec(&[DELVE, "version"]).await?;
        let mut said = Vec::new();
        let reading = async {
            let read = output.take(SAID).read_to_end(&mut said).await;
            (read, end.await)
        };
        let answered = tokio::time::timeout(pump::ANSWER, reading).await;
        drop(held);
        match (Version::of_output(&String::from_utf8_lossy(&said)), answered) {
            (Some(version), _) => Ok(version),
            (None, Ok((_, Some(why)))) => Err(self.not_begun(why)),
            (None, Ok(_)) => Err(self.not_begun("dlv does not tell its version".to_owned())),
            (None, Err(_)) => Err(self.not_begun("dlv does not answer".to_owned())),
        }
    }

    async fn exec(&self, command: &[&str]) -> Result<Exec, Error> {
        self.cluster.exec(&self.pod, &self.holder, command).await.map_err(|error| match error {
            kube::Error::Refused { status: 403, message, .. } => {
                Error::Right { what: "begin a program in the container that was added", message }
            }
            kube::Error::Refused { message, .. } => self.not_begun(message),
            other => other.into(),
        })
    }

    /// What it said first is not what this version says.
    pub fn not_greeted(&self, said: &[u8], why: Option<String>) -> Error {
        if said.is_empty() {
            return self.not_begun(why.unwrap_or_else(|| Errno::EPIPE.desc().to_owned()));
        }
        let line = said.split(|&byte| byte == b'\n').next().unwrap_or_default();
        Error::OtherVersion { image: self.image(), theirs: Untrusted::from(line) }
    }

    /// The image lacks it; or there is nothing to debug.
    pub fn without(&self, program: &'static str) -> Error {
        if self.pod.copy.is_some() {
            return Error::NothingRuns { name: self.pod.container.name.clone() };
        }
        Error::NoDebugger { image: self.image(), program }
    }

    fn not_begun(&self, why: String) -> Error {
        Error::NoHelper { program: "debugger", holder: self.holder.clone(), image: self.image(), why }
    }

    fn image(&self) -> String {
        self.cluster.terms().image.clone()
    }
}

/// The capabilities that who debugs such a process keeps, as bits. The kernel lets trace another one of the same user that has no
/// capability which it lacks itself; for any other it wants `CAP_SYS_PTRACE`, and so does Yama where it is at work. What `/proc` shows
/// to a process's own user alone, its memory among it, no right in a pod shows to others.
fn kept(level: &Level, process: &Status, restricted: bool) -> Result<u64, &'static str> {
    let right = level.keep();
    if process.ids.uid != level.security.uid {
        Err("it is another user's, whose memory cannot be written by anybody else here")
    } else if right != 0 {
        Ok(right)
    } else if restricted {
        Err("Yama is at work on its node (ptrace_scope), which asks for a right that only root can have in a pod")
    } else if process.permitted == 0 {
        Ok(0)
    } else if level.security.uid == 0 {
        // Those of the target are had, too.
        Ok(process.permitted)
    } else {
        Err("it has capabilities, which only root can have in what is added to a pod")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kube::Security;
    use crate::entry::plan::{Capability, Ids};

    #[test]
    fn who_may_trace_whom() {
        let level = |uid, add: &[&str]| {
            let add: Vec<_> = add.iter().map(|&name| name.to_owned()).collect();
            Level { words: "", security: Security { uid, gid: 0, add, drop: Vec::new() } }
        };
        let process =
            |uid, permitted| Status { ids: Ids { uid, gid: 0, groups: Vec::new() }, permitted, ..Status::default() };
        let trace = Capability::SysPtrace.bit();
        let right = &["SYS_PTRACE"][..];
        for (level, process, restricted, kept_or_why) in [
            (level(7, &[]), process(7, 0), false, Ok(0)),
            (level(7, &[]), process(7, 0), true, Err("Yama")),
            (level(7, &[]), process(7, 4), false, Err("capabilities")),
            (level(7, &[]), process(8, 0), false, Err("another user's")),
            (level(0, right), process(8, 0), false, Err("another user's")),
            (level(0, right), process(0, 0), true, Ok(trace)),
            (level(0, right), process(0, 0xff), false, Ok(trace)),
            (level(0, &[]), process(0, 0xff), false, Ok(0xff)),
            (level(0, &[]), process(0, 0xff), true, Err("Yama")),
        ] {
            let kept = kept(&level, &process, restricted);
            match (kept, kept_or_why) {
                (Ok(kept), Ok(wanted)) => assert_eq!(kept, wanted),
                (Err(why), Err(wanted)) => assert!(why.contains(wanted), "{why}"),
                (kept, wanted) => panic!("{kept:?} and not {wanted:?} for {level:?} {process:?} {restricted}"),
            }
        }
    }
}
