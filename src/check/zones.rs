//! Does it know what time it is elsewhere? Where Go looks for time zones (time, `zoneinfo_unix.go`, `zoneinfo_read.go`).

use super::facts::{Facts, Seen};
use super::finding::{Finding, Group, Kind};
use super::symbols::{c, go};
use crate::text::Untrusted;

const GROUP: Group = Group::Zones;
/// Where Go looks, in this order. The last one since Go 1.21.
pub const PLACES: [&str; 4] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"];
const FIX: &str = "import _ \"time/tzdata\"    # or: COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo";

/// All findings about time zones.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let Some(elf) = facts.elf() else { return Vec::new() };
    if !facts.knows_symbols() {
        let message = "it is not known whether it asks for time zones: nothing tells which functions are in it";
        return vec![Finding::unknown(GROUP, "zones.database", message)];
    }
    let is_go = elf.go.is_some();
    let mut all = Vec::new();
    if is_go {
        all.push(database(facts));
    }
    let local = is_go || !facts.linked_of(&c::ZONES).is_empty();
    all.extend(local.then(|| zone(facts)).flatten());
    all
}

/// Where there is a database: a directory or an archive.
fn found(facts: &Facts) -> Option<(Untrusted, Kind)> {
    if let Some(path) = facts.variable("ZONEINFO")
        && facts.seen(&path.lossy()).and_then(Seen::file).is_some()
    {
        return Some((path.clone(), Kind::Variable));
    }
    let place = PLACES.iter().copied().find(|place| facts.file(place).is_some());
    place.map(|place| (place.into(), Kind::Path)).or_else(|| {
        let goroot = facts.variable("GOROOT")?;
        let path = format!("{}/lib/time/zoneinfo.zip", goroot.lossy());
        facts.file(&path).map(|_| (path.as_str().into(), Kind::Path))
    })
}

fn database(facts: &Facts) -> Finding {
    let asks = facts.linked_of(&go::ZONES);
    if let Some(symbol) = facts.linked_of(&go::EMBEDDED_ZONES).first() {
        return Finding::ok(GROUP, "zones.database", "it brings the time zones along").with(Kind::Symbol, *symbol);
    }
    let Some(symbol) = asks.first() else {
        return Finding::ok(GROUP, "zones.database", "it asks for no time zone by name");
    };
    if let Some((path, kind)) = found(facts) {
        let finding = Finding::ok(GROUP, "zones.database", format!("time zones are in {}", path.safe()));
        return finding.with(Kind::Symbol, *symbol).with(kind, path);
    }
    let message = "it asks for time zones, and there are none: \"unknown time zone Europe/Berlin\"";
    let finding = Finding::warning(GROUP, "zones.database", message).with(Kind::Symbol, *symbol);
    finding.with_all(Kind::Missing, PLACES).fix(FIX)
}

/// The zone that the environment names. Go and C take UTC for one they do not find, and say nothing.
fn zone(facts: &Facts) -> Option<Finding> {
    let value = facts.variable("TZ")?;
    let text = value.lossy();
    let name = text.strip_prefix(':').unwrap_or(&text);
    let is_embedded = !facts.linked_of(&go::EMBEDDED_ZONES).is_empty();
    // `CET-1CEST,M3.5.0` says all that C has to know, and nothing that Go understands.
    if matches!(name, "" | "UTC" | "Local") || (facts.elf()?.go.is_none() && name.contains([',', '+'])) {
        return None;
    }
    let places: Vec<String> = if name.starts_with('/') {
        vec![name.to_owned()]
    } else {
        PLACES.iter().map(|place| format!("{place}/{name}")).collect()
    };
    let variable = format!("TZ={text}");
    if let Some(path) = places.iter().find(|path| facts.file(path).is_some()) {
        let message = format!("local time is that of {}", Untrusted::from(name).safe());
        return Some(
            Finding::ok(GROUP, "zones.local", message)
                .with(Kind::Variable, variable.as_str())
                .with(Kind::Path, path.as_str()),
        );
    }
    if is_embedded && !name.starts_with('/') {
        let message = format!("local time is that of {}, which it brings along", Untrusted::from(name).safe());
        return Some(Finding::ok(GROUP, "zones.local", message).with(Kind::Variable, variable.as_str()));
    }
    let message = format!(
        "TZ names {}, which is not there: local time is UTC, and nothing says so",
        Untrusted::from(name).safe()
    );
    let finding = Finding::failure(GROUP, "zones.local", message).with(Kind::Variable, variable.as_str());
    Some(finding.with_all(Kind::Missing, places.iter().map(String::as_str)).fix(FIX))
}
