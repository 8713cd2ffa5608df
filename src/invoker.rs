//! Whoever typed `sudo`. Only the broker needs root: all that parses and draws goes on as them.
//!
//! What reaches the engine is kept: the group that its socket belongs to. Everything else of root's is given back for
//! good, so files of this host are then read and written as theirs.

use std::ffi::CString;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{self, Gid, Uid, User};
use rustix::fs::{Access, AtFlags, CWD};

/// Who has asked for root, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoker {
    /// User id.
    pub uid: Uid,
    /// Main group.
    gid: Gid,
    /// Its name, if this system knows one.
    name: Option<CString>,
    /// By which program.
    pub by: &'static str,
}

/// Why all of the program stays root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Kept {
    /// The engine can be reached by root alone.
    #[error("only root may use the engine's socket {}", .0.display())]
    Socket(PathBuf),
    /// Processes of others are not shown to who is not root.
    #[error("this host's /proc hides the processes of others (hidepid)")]
    Hidden,
    /// The system refused.
    #[error("root cannot be given back: {0}")]
    Refused(#[from] Errno),
}

impl Invoker {
    /// Who became root to run this, as `sudo`, `pkexec` or `doas` tell. `None` if this is not root, or root's own doing.
    /// Believing it takes no trust: it can only take rights away.
    #[must_use]
    pub fn of_this_process() -> Option<Self> {
        if !unistd::geteuid().is_root() {
            return None;
        }
        Self::named_by(&|name| std::env::var(name).ok())
    }

    fn named_by(var: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name| var(name)?.parse::<u32>().ok();
        let found = |uid, gid: Option<u32>, by| {
            let uid = Uid::from_raw(uid);
            let known = User::from_uid(uid).ok().flatten();
            let gid = gid.map(Gid::from_raw).or_else(|| known.as_ref().map(|user| user.gid))?;
            Some(Self { uid, gid, name: known.and_then(|user| CString::new(user.name).ok()), by })
        };
        let doas = || {
            let user = User::from_name(&var("DOAS_USER")?).ok().flatten()?;
            found(user.uid.as_raw(), Some(user.gid.as_raw()), "doas")
        };
        let invoker = number("SUDO_UID")
            .and_then(|uid| found(uid, number("SUDO_GID"), "sudo"))
            .or_else(|| number("PKEXEC_UID").and_then(|uid| found(uid, None, "pkexec")))
            .or_else(doas);
        invoker.filter(|invoker| !invoker.uid.is_root())
    }

    /// Makes this process theirs, for good. To be called before anything starts a thread, and after the broker was.
    ///
    /// # Errors
    /// If the engine or the processes could not be seen any more. Then nothing has changed.
    pub fn take_over(&self, socket: Option<&Path>) -> Result<(), Kept> {
        let groups = self.groups(socket)?;
        self.try_with(&groups, socket)?;
        unistd::setgroups(&groups)?;
        unistd::setresgid(self.gid, self.gid, self.gid)?;
        unistd::setresuid(self.uid, self.uid, self.uid)?;
        // Their other processes must not get at the broker through this one. The kernel does so too, unless
        // fs.suid_dumpable says otherwise (proc_sys_fs(5)).
        let dumpable = rustix::process::DumpableBehavior::NotDumpable;
        rustix::process::set_dumpable_behavior(dumpable).map_err(|error| Errno::from_raw(error.raw_os_error()))?;
        Ok(())
    }

    /// Looks with their eyes whether it would still do, and comes back.
    ///
    /// # Errors
    /// As [`Invoker::take_over`].
    pub fn rehearse(&self, socket: Option<&Path>) -> Result<(), Kept> {
        self.try_with(&self.groups(socket)?, socket)
    }

    fn try_with(&self, groups: &[Gid], socket: Option<&Path>) -> Result<(), Kept> {
        let before = unistd::getgroups()?;
        unistd::setgroups(groups)?;
        let seen = self.look(socket);
        unistd::setgroups(&before)?;
        seen
    }

    /// Their groups, and the one that is kept.
    fn groups(&self, socket: Option<&Path>) -> Result<Vec<Gid>, Errno> {
        let mut groups = match &self.name {
            Some(name) => unistd::getgrouplist(name, self.gid)?,
            None => vec![self.gid],
        };
        // stat(2) of what the engine listens at; a socket whose group may write lets its members connect (unix(7)).
        let found = socket.and_then(|path| std::fs::metadata(path).ok()).filter(|found| found.mode() & 0o020 != 0);
        groups.extend(found.map(|found| Gid::from_raw(found.gid())));
        Ok(groups)
    }

    fn look(&self, socket: Option<&Path>) -> Result<(), Kept> {
        let group = unistd::getegid();
        // One that is not there is not reached by root either.
        let socket = socket.filter(|path| path.exists());
        unistd::setegid(self.gid)?;
        let seen = unistd::seteuid(self.uid).map(|()| {
            let reached = |path| rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
            (socket.filter(|path| !reached(*path)), File::open("/proc/1/stat").is_ok())
        });
        unistd::seteuid(Uid::from_raw(0))?;
        unistd::setegid(group)?;
        match seen? {
            (Some(socket), _) => Err(Kept::Socket(socket.to_owned())),
            (None, false) => Err(Kept::Hidden),
            (None, true) => Ok(()),
        }
    }
}

/// What to say where a file of this host is refused to who typed `sudo`, if that is so.
#[must_use]
pub fn hint() -> Option<String> {
    let invoker = Invoker::named_by(&|name| std::env::var(name).ok())?;
    let words = "under sudo, files of this host are read and written as you, not as root\n\
                 as root itself: sudo env -u SUDO_UID scratchdbg …";
    (invoker.by == "sudo" && invoker.uid == unistd::geteuid()).then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(vars: &[(&str, &str)]) -> Option<(u32, u32, &'static str)> {
        let var = |name: &str| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned());
        Invoker::named_by(&var).map(|invoker| (invoker.uid.as_raw(), invoker.gid.as_raw(), invoker.by))
    }

    #[test]
    fn whoever_asked_for_root_is_found() {
        for (vars, who) in [
            (&[][..], None),
            (&[("SUDO_UID", "4711"), ("SUDO_GID", "815")], Some((4711, 815, "sudo"))),
            // Root by way of root, and what makes no sense.
            (&[("SUDO_UID", "0"), ("SUDO_GID", "0")], None),
            (&[("SUDO_UID", "-1"), ("SUDO_GID", "x")], None),
            (&[("SUDO_UID", "4711")], None),
            (&[("PKEXEC_UID", "65534")], Some((65534, 65534, "pkexec"))),
            (&[("DOAS_USER", "nobody")], Some((65534, 65534, "doas"))),
            (&[("DOAS_USER", "root")], None),
            (&[("DOAS_USER", "no such user")], None),
        ] {
            assert_eq!(named(vars), who, "{vars:?}");
        }
    }
}
