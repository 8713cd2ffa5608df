use std::collections::{HashMap, HashSet};

use super::*;

#[test]
fn every_key_can_be_read() {
    for binding in bindings() {
        for keys in binding.keys.split(' ').filter(|keys| !keys.is_empty()) {
            assert!(Key::parse_sequence(keys).is_some(), "{keys:?} of {:?}", binding.action);
        }
    }
}

#[test]
fn no_two_actions_share_a_key_in_a_mode() {
    for mode in Mode::ALL {
        let mut seen = HashMap::new();
        for (at, keys, action) in SEQUENCES.iter().filter(|(at, ..)| mode.chain().contains(at)) {
            // A mode may give an action it shares a name and words of its own; a key never has two meanings.
            if let Some(other) = seen.insert(keys.clone(), *action) {
                assert_eq!(other, *action, "{keys:?} in {mode:?} (by {at:?})");
            }
        }
        for (keys, action) in &seen {
            for (other, its) in &seen {
                assert!(
                    keys == other || !other.starts_with(keys),
                    "{action:?} is the start of {its:?} in {mode:?}: {keys:?} {other:?}"
                );
            }
        }
    }
}

#[test]
fn every_action_has_a_name_and_help() {
    let mut by_name = HashMap::new();
    let mut by_action = HashMap::new();
    for binding in bindings() {
        assert!(!binding.name.is_empty() && !binding.help.is_empty(), "{:?}", binding.action);
        assert!(binding.name.chars().all(|c| c.is_ascii_lowercase()), "{}", binding.name);
        assert_eq!(*by_name.entry(binding.name).or_insert(binding.action), binding.action, "{}", binding.name);
        assert_eq!(*by_action.entry(binding.action).or_insert(binding.name), binding.name, "{:?}", binding.action);
    }
}

#[test]
fn no_row_is_there_twice() {
    let mut seen = HashSet::new();
    for binding in bindings() {
        assert!(seen.insert((binding.mode, binding.action)), "{:?} {:?}", binding.mode, binding.action);
    }
}

#[test]
fn the_first_of_two_keys_waits_for_the_second() {
    let g = Key::plain(Code::Char('g'));
    assert_eq!(meaning(Mode::Logs, &[g]), Meaning::Prefix);
    assert_eq!(meaning(Mode::Logs, &[g, g]), Meaning::Action(Action::Top));
    assert_eq!(meaning(Mode::Prompt, &[g]), Meaning::None);
}

#[test]
fn motions_work_in_every_pane() {
    for mode in [
        Mode::Picker,
        Mode::Pods,
        Mode::Choose,
        Mode::Overview,
        Mode::Procs,
        Mode::Process,
        Mode::Logs,
        Mode::Files,
        Mode::Viewer,
        Mode::Net,
        Mode::Activity,
        Mode::Depths,
        Mode::Copy,
        Mode::Live,
        Mode::Help,
        Mode::Message,
    ] {
        for (keys, action) in [
            ("j", Action::Down),
            ("Down", Action::Down),
            ("k", Action::Up),
            ("gg", Action::Top),
            ("G", Action::Bottom),
            ("^d", Action::HalfDown),
            ("^u", Action::HalfUp),
            ("PgDn", Action::PageDown),
            ("^b", Action::PageUp),
        ] {
            let keys = Key::parse_sequence(keys).unwrap();
            assert_eq!(meaning(mode, &keys), Meaning::Action(action), "{mode:?}");
        }
    }
}

#[test]
fn names_say_where_they_work() {
    assert_eq!(named(Mode::Logs, "wrap"), Ok(Action::Wrap));
    assert_eq!(named(Mode::Files, "wrap"), Err("wrap works in Logs".to_owned()));
    assert_eq!(named(Mode::Files, "q"), Ok(Action::Back));
    assert!(named(Mode::Files, "nonsense").is_err());
    assert!(named(Mode::Files, "eraseword").is_err());
}

#[test]
fn the_documentation_is_not_stale() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == markdown(), "docs/keys.md is stale: run UPDATE_DOCS=1 cargo test keymap");
}
