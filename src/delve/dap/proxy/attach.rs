//! What `attach` asks for: always the process or core that Delve has already, shown as the editor likes it.

use serde_json::{Map, Value, json};

use super::{Subject, Terms};

/// What of an editor's configuration is handed on: how things are shown. Not what would choose another process
/// (`processId`, `waitFor`), or make Delve attach to what the process starts (`followExec`).
const SHOWN: [&str; 11] = [
    "goroutineFilters",
    "guessSubstitutePath",
    "hideSystemGoroutines",
    "maxArrayValues",
    "maxStringLen",
    "showGlobalVariables",
    "showPprofLabels",
    "showRegisters",
    "stackTraceDepth",
    "stopOnEntry",
    "substitutePath",
];

/// Where the sources are that a program was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRule {
    /// Folder on the editor's side.
    pub local: String,
    /// The same as the program names it: a folder, or an import path.
    pub binary: String,
}

impl PathRule {
    /// As DAP writes it; JSON-RPC and Delve's own command line have it the other way round.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "from": self.local, "to": self.binary })
    }
}

/// What Delve is asked for, in place of what the editor asks for.
pub(super) fn arguments(asked: Option<&Value>, terms: &Terms) -> Value {
    let asked = asked.and_then(Value::as_object);
    let shown = |name: &&str| Some(((*name).to_owned(), asked?.get(*name)?.clone()));
    let mut arguments: Map<String, Value> = SHOWN.iter().filter_map(shown).collect();
    let rules = rules(arguments.remove("substitutePath"), &terms.rules);
    arguments.insert("substitutePath".to_owned(), rules);
    arguments.insert("mode".to_owned(), "remote".into());
    if terms.subject == Subject::Core {
        // Otherwise Delve tries to let it run, fails, and selects no thread.
        arguments.insert("stopOnEntry".to_owned(), true.into());
    }
    Value::Object(arguments)
}

/// The editor's own rules, then ours: the first one that fits is taken.
fn rules(theirs: Option<Value>, ours: &[PathRule]) -> Value {
    let mut all = match theirs {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(rules)) => rules,
        // Delve says what is wrong with it.
        Some(other) => return other,
    };
    let known = |local: &str| all.iter().any(|rule| rule.get("from").and_then(Value::as_str) == Some(local));
    let new: Vec<_> = ours.iter().filter(|rule| !known(&rule.local)).map(PathRule::to_json).collect();
    all.extend(new);
    Value::Array(all)
}
