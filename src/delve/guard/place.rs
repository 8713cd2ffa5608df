//! Where Delve has its socket and its settings: a file system in memory that is mounted nowhere. Nobody else can come to
//! it by any path, and it is gone with the last process that holds it, however that ends. In a sidecar, which may make none, it is
//! a folder in one that is the sidecar's own. In a pod's container nothing can be written but what the pod shares, in which something
//! could stay behind: there Delve has a socket [without a file](super::nowhere), and no settings.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};

use super::Error;
use super::nowhere::{Name, NotAlone};
use crate::delve::debugfile::settings;
use crate::golang::BuildId;

/// At which number Delve finds it.
pub const NUMBER: i32 = 3;
/// At which number it finds the debug file, if there is one. Between the two is its program.
pub const DEBUG_NUMBER: i32 = NUMBER + 2;
/// The most it may hold, in bytes: settings, and a socket.
const SIZE: &str = "1m";
/// The socket's name in it.
const SOCKET: &str = "s";

/// It.
#[derive(Debug)]
pub struct Place(Where);

#[derive(Debug)]
enum Where {
    /// In a folder.
    Folder { folder: OwnedFd, debug_file: Option<OwnedFd> },
    /// In none.
    Nowhere(Name),
}

impl Place {
    /// Makes one. Takes `CAP_SYS_ADMIN` and Linux 5.2 (fsopen(2)). Delve finds the debug file by a link in it: not the file that
    /// has some name by then, but the one that is open.
    ///
    /// # Errors
    /// If the kernel does not let us.
    pub fn new(debug_file: Option<(BuildId, OwnedFd)>) -> Result<Self, Error> {
        let made = || -> Result<OwnedFd, Errno> {
            let memory = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_set_string(memory.as_fd(), "size", SIZE)?;
            fsconfig_set_string(memory.as_fd(), "mode", "0700")?;
            fsconfig_create(memory.as_fd())?;
            let attributes = MountAttrFlags::MOUNT_ATTR_NODEV
                | MountAttrFlags::MOUNT_ATTR_NOEXEC
                | MountAttrFlags::MOUNT_ATTR_NOSUID;
            fsmount(memory.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        };
        Self::furnished(made(), debug_file)
    }

    /// A folder of its own in a file system in memory that nobody else uses. It goes with that.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn within(scratch: &Path, debug_file: Option<(BuildId, OwnedFd)>) -> Result<Self, Error> {
        let made = || -> Result<OwnedFd, Errno> {
            let path = scratch.join(std::process::id().to_string());
            rustix::fs::mkdir(&path, Mode::RWXU)?;
            rustix::fs::open(&path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        };
        Self::furnished(made(), debug_file)
    }

    /// None: nothing can be written. A debug file has no place there.
    ///
    /// # Errors
    /// If the kernel gives no name for a socket.
    pub fn nowhere() -> Result<Self, Error> {
        let name = Name::new().map_err(|error| Error::Place { errno: error.raw_os_error().unwrap_or(libc::EIO) })?;
        Ok(Self(Where::Nowhere(name)))
    }

    fn furnished(folder: Result<OwnedFd, Errno>, debug_file: Option<(BuildId, OwnedFd)>) -> Result<Self, Error> {
        let furnish = |place: &OwnedFd| -> Result<(), Errno> {
            // Telemetry is off by a file; see golang.org/x/telemetry.
            for folder in ["go", "go/telemetry"] {
                rustix::fs::mkdirat(place, folder, Mode::RWXU)?;
            }
            write(place, "go/telemetry/mode", "off")?;
            if let Some((id, _)) = &debug_file {
                let [root, folder, file] = id.path();
                for made in ["dlv", &root, &format!("{root}/{folder}")] {
                    rustix::fs::mkdirat(place, made, Mode::RWXU)?;
                }
                let target = format!("/proc/self/fd/{DEBUG_NUMBER}");
                rustix::fs::symlinkat(target, place, format!("{root}/{folder}/{file}"))?;
                write(place, "dlv/config.yml", &settings(&[format!("/proc/self/fd/{NUMBER}").into()]))?;
            }
            Ok(())
        };
        let folder = folder.and_then(|folder| furnish(&folder).map(|()| folder));
        let folder = folder.map_err(|errno| Error::Place { errno: errno.raw_os_error() })?;
        Ok(Self(Where::Folder { folder, debug_file: debug_file.map(|(_, file)| file) }))
    }

    /// The descriptor of the folder, if there is one.
    pub fn fd(&self) -> Option<&OwnedFd> {
        match &self.0 {
            Where::Folder { folder, .. } => Some(folder),
            Where::Nowhere(_) => None,
        }
    }

    /// The debug file.
    pub fn debug_file(&self) -> Option<&OwnedFd> {
        match &self.0 {
            Where::Folder { debug_file, .. } => debug_file.as_ref(),
            Where::Nowhere(_) => None,
        }
    }

    /// Where Delve listens, as it finds it.
    pub fn socket(&self) -> String {
        match &self.0 {
            Where::Folder { .. } => format!("/proc/self/fd/{NUMBER}/{SOCKET}"),
            Where::Nowhere(name) => name.address(),
        }
    }

    /// Where it has its settings, as it finds them. Where there are none, none can be made.
    pub fn settings(&self) -> String {
        match &self.0 {
            Where::Folder { .. } => format!("/proc/self/fd/{NUMBER}"),
            Where::Nowhere(_) => "/dev/null".to_owned(),
        }
    }

    /// The connection to Delve, once it listens.
    pub fn connect(&self, delve: i32) -> Result<Option<UnixStream>, NotAlone> {
        match &self.0 {
            Where::Folder { folder, .. } => {
                Ok(UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())).ok())
            }
            Where::Nowhere(name) => name.connect(delve),
        }
    }
}

fn write(place: &OwnedFd, name: &str, text: &str) -> Result<(), Errno> {
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(place, name, flags, Mode::RUSR | Mode::WUSR)?;
    // Some bytes into memory: all at once.
    rustix::io::write(&file, text.as_bytes()).map(drop)
}
