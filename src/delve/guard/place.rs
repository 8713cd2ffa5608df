//! Where Delve has its socket and its settings: a file system in memory that is mounted nowhere. Nobody else can come to
//! it by any path, and it is gone with the last process that holds it, however that ends.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};

use super::Error;

/// At which number Delve finds it.
pub const NUMBER: i32 = 3;
/// The most it may hold, in bytes: settings, and a socket.
const SIZE: &str = "1m";

/// It.
#[derive(Debug)]
pub struct Place(OwnedFd);

impl Place {
    /// Makes one. Takes `CAP_SYS_ADMIN` and Linux 5.2 (fsopen(2)).
    ///
    /// # Errors
    /// If the kernel does not let us.
    pub fn new() -> Result<Self, Error> {
        let made = || -> Result<OwnedFd, Errno> {
            let memory = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_set_string(memory.as_fd(), "size", SIZE)?;
            fsconfig_set_string(memory.as_fd(), "mode", "0700")?;
            fsconfig_create(memory.as_fd())?;
            let attributes = MountAttrFlags::MOUNT_ATTR_NODEV
                | MountAttrFlags::MOUNT_ATTR_NOEXEC
                | MountAttrFlags::MOUNT_ATTR_NOSUID;
            let place = fsmount(memory.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
            // Telemetry is off by a file; see golang.org/x/telemetry.
            for folder in ["go", "go/telemetry"] {
                rustix::fs::mkdirat(&place, folder, Mode::RWXU)?;
            }
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
            let mode = rustix::fs::openat(&place, "go/telemetry/mode", flags, Mode::RUSR | Mode::WUSR)?;
            rustix::io::write(&mode, b"off")?;
            Ok(place)
        };
        made().map(Self).map_err(|errno| Error::Place { errno: errno.raw_os_error() })
    }

    /// The descriptor.
    pub fn fd(&self) -> &OwnedFd {
        &self.0
    }

    /// Delve's socket, as this process finds it.
    pub fn socket(&self) -> String {
        format!("/proc/self/fd/{}/{SOCKET}", self.0.as_raw_fd())
    }
}

/// The socket's name.
pub const SOCKET: &str = "s";
