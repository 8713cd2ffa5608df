//! What a Go program says of itself, and what its file shows beside that: what a debugger will find in it.

use super::{BuildId, BuildInfo, Error, Ranges, buildid, buildinfo, dwarf, linkage, outline};

/// All that is told of a Go program without looking at its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What the linker wrote for it to say.
    pub info: BuildInfo,
    /// Whether it has no debug information.
    pub stripped: bool,
    /// The version of DWARF that its debug information is in, if it is understood.
    pub dwarf: Option<u16>,
    /// Its build id, if it has one.
    pub build_id: Option<BuildId>,
    /// Whether it needs a loader and libraries.
    pub dynamic: bool,
}

/// Reads it.
///
/// # Errors
/// See [`Error`].
pub async fn read(file: &impl Ranges) -> Result<About, Error> {
    let info = buildinfo::read(file).await?;
    let outline = outline::read(file).await?;
    let has = |name: &[u8]| outline.section(name).is_some_and(|section| section.range.size > 0);
    let linkage = linkage::read(file, &outline).await?;
    Ok(About {
        info,
        stripped: !has(b".debug_info") && !has(b".zdebug_info"),
        dwarf: dwarf::version(file, &outline).await?,
        build_id: buildid::read(file).await?,
        dynamic: linkage.interpreter.is_some() || !linkage.needed.is_empty(),
    })
}
