//! The guard over a live process and Delve: a process that outlives the broker, with the rights that Delve needs.

use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::ForkResult;
use rustix::fs::{FileType, OFlags};

use super::message::{Refusal, Step, receive, send};
use super::stopped;
use super::worker::rights;
use crate::delve::guard::{self, Error, Link, Means, Order, Told};
use crate::entry::plan::Capability;
use crate::sys;

/// What debugging any process takes: its registers and memory, what `/proc` shows to its user alone, and stopping it.
const NEEDED: u64 = Capability::SysPtrace.bit() | Capability::DacReadSearch.bit() | Capability::Kill.bit();
/// Who may write a file, beside its owner.
const WRITABLE: u32 = 0o022;

/// What the other side may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Say {
    /// Here is the debug file, open. The first word, if there is one.
    DebugFile,
    /// End the session.
    End,
}

/// Starts it. Gives the link to it. It is none of the broker's workers, which end with the broker.
pub fn start(order: Order, program: Option<OwnedFd>) -> Result<OwnedFd, Refusal> {
    let trusted = program.as_ref().is_none_or(is_trusted);
    fork(order, program, |link, starts| {
        if !trusted {
            return Err(Error::NotTrusted);
        }
        let debug_file = if order.debug_file.is_some() && starts { Some(link.debug_file()?) } else { None };
        let means = Means::gather(&order, debug_file)?;
        rights::only_and_on(NEEDED).map_err(|errno| Error::Rights { errno: errno as i32 })?;
        Ok(means)
    })
}

/// Forks it. `means` gets what it needs, and then drops every right that it does not; it is told whether it starts a Delve.
#[expect(clippy::needless_pass_by_value, reason = "the descriptor is closed here")]
pub fn fork(
    order: Order,
    program: Option<OwnedFd>,
    means: impl FnOnce(&ByPackets, bool) -> Result<Means, Error>,
) -> Result<OwnedFd, Refusal> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|error| stopped(Step::Socket, error))?;
    match sys::fork().map_err(|error| stopped(Step::Fork, error))? {
        ForkResult::Child => {
            drop(ours);
            let link = ByPackets(theirs);
            if let Err(error) = work(&order, program.as_ref(), &link, means) {
                link.tell(&Told::Failed(error), None);
            }
            sys::exit_now(0);
        }
        ForkResult::Parent { .. } => Ok(ours),
    }
}

fn work(
    order: &Order,
    program: Option<&OwnedFd>,
    link: &ByPackets,
    means: impl FnOnce(&ByPackets, bool) -> Result<Means, Error>,
) -> Result<(), Error> {
    let refused = |errno: Errno| Error::Rights { errno: errno as i32 };
    // The end of who has forked it, and that of all before, is none of the guard's.
    rustix::process::set_parent_process_death_signal(None).map_err(|error| refused(super::errno(error)))?;
    nix::unistd::setsid().map_err(refused)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(refused)?;
    let means = means(link, program.is_some())?;
    guard::run(order, program, &means, link)
}

/// Whether the program may get rights. They are this program's and not its user's, who may not give them to any program
/// they like.
fn is_trusted(program: &OwnedFd) -> bool {
    rustix::process::getuid().is_root()
        || rustix::fs::fstat(program).is_ok_and(|stat| stat.st_uid == 0 && stat.st_mode & WRITABLE == 0)
}

/// The link, one packet a word.
pub struct ByPackets(OwnedFd);

impl ByPackets {
    /// Waits for the debug file. Delve opens it anew, and with more rights: so it must be one that could be read before.
    fn debug_file(&self) -> Result<OwnedFd, Error> {
        let Ok((Say::DebugFile, Some(file))) = receive::<Say>(self.0.as_fd()) else { return Err(Error::DebugFile) };
        let flags = rustix::fs::fcntl_getfl(&file).map_err(|_| Error::DebugFile)?;
        let stat = rustix::fs::fstat(&file).map_err(|_| Error::DebugFile)?;
        let is_read = flags & (OFlags::RWMODE | OFlags::PATH) == OFlags::RDONLY;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_read && is_file { Ok(file) } else { Err(Error::DebugFile) }
    }
}

impl Link for ByPackets {
    fn fd(&self) -> &OwnedFd {
        &self.0
    }

    fn wants_the_end(&self) -> bool {
        matches!(receive::<Say>(self.0.as_fd()), Ok((Say::End, _)) | Err(_))
    }

    fn tell(&self, told: &Told, fd: Option<&OwnedFd>) {
        let _ = send(self.0.as_fd(), told, fd.map(|fd| fd.as_fd()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    #[test]
    fn a_debug_file_must_be_one_that_could_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "what it has").unwrap();
        let open = |flags, path| std::fs::File::options().read(true).custom_flags(flags).open(path).unwrap().into();
        let write_only = std::fs::File::options().write(true).open(&path).unwrap().into();
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let link = ByPackets(theirs);
        let received = |say, fd: Option<OwnedFd>| {
            send(ours.as_fd(), &say, fd.as_ref().map(OwnedFd::as_fd)).unwrap();
            link.debug_file()
        };
        assert!(received(Say::DebugFile, Some(open(0, path.as_path()))).is_ok());
        for fd in [open(libc::O_PATH, &path), write_only, open(libc::O_DIRECTORY, folder.path())] {
            assert_eq!(received(Say::DebugFile, Some(fd)).unwrap_err(), Error::DebugFile);
        }
        assert_eq!(received(Say::DebugFile, None).unwrap_err(), Error::DebugFile);
        assert_eq!(received(Say::End, Some(open(0, &path))).unwrap_err(), Error::DebugFile);
        // Whoever was to send it has gone.
        drop(ours);
        assert_eq!(link.debug_file().unwrap_err(), Error::DebugFile);
    }
}
