//! What a debugger will find, and whether there is one.

use super::facts::Facts;
use super::finding::{Finding, Group, Kind};
use crate::delve::version::{Gate, INSTALL, gate};
use crate::exit::Explain as _;

const GROUP: Group = Group::Debug;

/// All findings about debugging.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let Some(elf) = facts.elf() else { return Vec::new() };
    let mut all = vec![stripped(facts, elf.stripped, elf.dwarf)];
    if elf.go.is_none() {
        return all;
    }
    all.push(optimised(facts));
    all.push(paths(facts));
    all.push(delve(facts, elf.stripped));
    all
}

fn stripped(facts: &Facts, stripped: bool, dwarf: Option<u16>) -> Finding {
    if stripped {
        let is_go = facts.elf().is_some_and(|elf| elf.go.is_some());
        let fix = if is_go {
            "go build    # without -ldflags '-s -w'; or keep what is stripped: objcopy --only-keep-debug app app.debug"
        } else {
            "objcopy --only-keep-debug app app.debug    # of a build with -g, before strip, and keep it"
        };
        let message = "without debug information (stripped): a debugger shows no variables and no lines";
        return Finding::warning(GROUP, "debug.stripped", message).with(Kind::Header, "no .debug_info").fix(fix);
    }
    let message = match dwarf {
        Some(version) => format!("debug information is there: DWARF {version}"),
        None => "debug information is there".to_owned(),
    };
    Finding::ok(GROUP, "debug.stripped", message).with(Kind::Header, ".debug_info")
}

fn optimised(facts: &Facts) -> Finding {
    let flags = facts.setting("-gcflags").map(|flags| flags.lossy().into_owned()).unwrap_or_default();
    let has = |flag: &str| flags.split([' ', '=']).any(|word| word == flag);
    if has("-N") {
        let message = "built without optimisation, for a debugger: slower than it needs to be";
        return Finding::warning(GROUP, "debug.optimised", message)
            .with(Kind::Setting, format!("-gcflags={flags}").as_str())
            .fix("go build    # without -gcflags 'all=-N -l'");
    }
    Finding::ok(GROUP, "debug.optimised", "optimised: a debugger may not find every variable")
}

fn paths(facts: &Facts) -> Finding {
    let trimmed = facts.setting("-trimpath").is_some_and(|value| value.bytes() == b"true");
    if trimmed {
        let message =
            "source paths are those of modules: a debugger has to be told where the sources are (dlv --path-map)";
        return Finding::ok(GROUP, "debug.trimpath", message).with(Kind::Setting, "-trimpath=true");
    }
    let message = "source paths are those of the machine that built it";
    Finding::ok(GROUP, "debug.trimpath", message)
}

fn delve(facts: &Facts, stripped: bool) -> Finding {
    let id = "debug.delve";
    let Some(version) = facts.delve else {
        let message = "no Delve is on this host, for `scratchdbg dlv` and the tab Debug";
        return Finding::unknown(GROUP, id, message).fix(INSTALL);
    };
    match gate(version, facts.go(), stripped) {
        Gate::Good => Finding::ok(GROUP, id, format!("Delve {version} of this host is good for it")),
        Gate::Limited(limits) => {
            let message = format!("Delve {version} of this host shows it without {}", limits.without);
            Finding::ok(GROUP, id, message)
        }
        Gate::Refused(refusal) => {
            let hint = refusal.hint().unwrap_or_else(|| INSTALL.to_owned());
            Finding::warning(GROUP, id, refusal.to_string()).fix(hint.trim_start_matches("install a new one: "))
        }
    }
}
