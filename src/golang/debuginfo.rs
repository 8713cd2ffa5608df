//! What a debugger has to read of a program, and whether there is anything.

use super::elf::{self, Place};
use super::{Error, Inside, Ranges};
use crate::shim::Shim;
use crate::target::ContainerPid;

/// What a debugger finds in a program's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugInfo {
    /// Bytes of the file.
    pub size: u64,
    /// It has no debug information (DWARF): built with `-ldflags=-w`, or stripped since.
    pub stripped: bool,
}

/// Of the program that a process runs.
///
/// # Errors
/// See [`Error`].
pub async fn of_process(shim: &Shim, pid: ContainerPid) -> Result<DebugInfo, Error> {
    let path = shim.readlink(format!("/proc/{pid}/exe").as_bytes()).await?;
    let size = shim.stat(&path, true).await?.size;
    Ok(DebugInfo { size, stripped: is_stripped(&Inside { shim, path }).await? })
}

/// Whether a program's file has no debug information.
///
/// # Errors
/// See [`Error`].
pub(super) async fn is_stripped(file: &impl Ranges) -> Result<bool, Error> {
    // The second one is compressed, as older linkers did it.
    for name in [b".debug_info".as_slice(), b".zdebug_info"] {
        if matches!(elf::section(file, name).await?, Place::Section(range) if range.size > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}
