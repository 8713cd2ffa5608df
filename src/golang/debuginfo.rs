//! What a debugger has to read of a program, and whether there is anything.

use super::{BuildId, Error, Inside, Ranges, buildid, outline};
use crate::shim::Shim;
use crate::target::ContainerPid;

/// What a debugger finds in a program's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugInfo {
    /// Bytes of the file.
    pub size: u64,
    /// It has no debug information (DWARF): built with `-ldflags=-w`, or stripped since.
    pub stripped: bool,
    /// What its debug file must have, too. Go writes one since 1.24.
    pub build_id: Option<BuildId>,
}

/// Of the program that a process runs.
///
/// # Errors
/// See [`Error`].
pub async fn of_process(shim: &Shim, pid: ContainerPid) -> Result<DebugInfo, Error> {
    let path = shim.readlink(format!("/proc/{pid}/exe").as_bytes()).await?;
    let size = shim.stat(&path, true).await?.size;
    of_file(&Inside { shim, path }, size).await
}

/// Of a program's file, or a debug file, of so many bytes.
///
/// # Errors
/// See [`Error`].
pub async fn of_file(file: &impl Ranges, size: u64) -> Result<DebugInfo, Error> {
    Ok(DebugInfo { size, stripped: is_stripped(file).await?, build_id: buildid::read(file).await? })
}

/// Whether a program's file has no debug information.
///
/// # Errors
/// See [`Error`].
pub(super) async fn is_stripped(file: &impl Ranges) -> Result<bool, Error> {
    let outline = outline::read(file).await?;
    // The second one is compressed, as older linkers did it.
    let mut debug = [b".debug_info".as_slice(), b".zdebug_info"].into_iter().filter_map(|name| outline.section(name));
    Ok(!debug.any(|section| section.range.size > 0))
}
