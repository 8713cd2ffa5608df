//! The files that matter.

use std::collections::BTreeMap;

use super::source::Source;
use crate::check::facts::{Facts, Seen};
use crate::check::lifetime::SHELL;
use crate::check::zones;
use crate::inspect::files;

/// The most files that are looked at.
const MOST: usize = 64;

/// Looks at them.
pub(super) async fn read(source: &Source<'_>, facts: &Facts) -> BTreeMap<Vec<u8>, Seen> {
    let mut paths: Vec<Vec<u8>> = ["/etc/passwd", SHELL].map(|path| path.as_bytes().to_vec()).to_vec();
    paths.extend(zones::PLACES.map(|place| place.as_bytes().to_vec()));
    let variable = |name: &str| facts.variable(name).map(|value| value.bytes().to_vec());
    paths.push(variable("TMPDIR").unwrap_or_else(|| b"/tmp".to_vec()));
    paths.extend(variable("HOME"));
    paths.extend(variable("ZONEINFO"));
    paths.extend(variable("GOROOT").map(|root| files::join(&root, b"lib/time/zoneinfo.zip")));
    if let Some(zone) = variable("TZ") {
        let name = zone.strip_prefix(b":").unwrap_or(&zone);
        if name.starts_with(b"/") {
            paths.push(name.to_vec());
        } else {
            paths.extend(zones::PLACES.map(|place| files::join(place.as_bytes(), name)));
        }
    }
    if let Some(loader) = facts.elf().and_then(|elf| elf.linkage.interpreter.as_ref()) {
        paths.push(loader.bytes().to_vec());
    }
    if let [kind, program, ..] = facts.setup.health.as_slice()
        && kind.bytes() == b"CMD"
    {
        paths.push(program.bytes().to_vec());
    }
    paths.extend(facts.setup.volumes.iter().map(|path| path.bytes().to_vec()));
    let mut seen = BTreeMap::new();
    for path in paths.into_iter().filter(|path| path.starts_with(b"/")).take(MOST) {
        let what = source.stat(&path).await;
        seen.insert(path, what);
    }
    seen
}
