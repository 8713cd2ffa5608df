//! Breakpoints of a live process: set, changed, taken away, and remembered for the image.

use std::collections::HashMap;

use super::remembered::{MOST, Remembered};
use crate::delve::client::{Error, Stopped};
use crate::delve::model::{Breakpoint, Change, Load, NewBreakpoint, Place};
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;
use crate::tui::message::debug::{Breakpointing, Known, Marks, Told, Unset, Wanted};

/// Where they are remembered.
const FILE: &str = "breakpoints.json";
/// Letters of a place or a condition at most. Longer ones are not remembered.
const LONGEST: usize = 4096;

/// The breakpoints of a session.
pub(super) struct Breakpoints {
    remembered: Remembered,
    /// Where those were asked for that are set, by their numbers. Only these are remembered.
    asked: HashMap<i64, Asked>,
    unset: Vec<Unset>,
    /// Whether somebody was told that they cannot be remembered.
    complained: bool,
}

struct Asked {
    place: String,
    /// The function that it was in the last time.
    function: String,
}

/// Those of the last session.
pub(super) fn read(remembered: &Remembered) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = remembered.read(FILE);
    all.retain(|wanted| !wanted.place.is_empty() && is_short(wanted));
    all
}

fn is_short(wanted: &Wanted) -> bool {
    [&wanted.place, &wanted.function, &wanted.condition, &wanted.hit_condition].iter().all(|text| text.len() <= LONGEST)
}

impl Breakpoints {
    pub(super) fn new(remembered: Remembered) -> Self {
        Self { remembered, asked: HashMap::new(), unset: Vec::new(), complained: false }
    }

    /// Sets those of the last time. Gives what to tell.
    pub(super) async fn restore(&mut self, delve: &Stopped, wanted: Vec<Wanted>) -> Vec<Told> {
        for wanted in wanted.into_iter().take(MOST) {
            match set(delve, &wanted).await {
                Ok(id) => {
                    self.asked.insert(id, Asked { place: wanted.place, function: wanted.function });
                }
                Err(error) => self.unset.push(Unset { wanted, why: error.to_string() }),
            }
        }
        self.told(delve).await
    }

    /// Sets, changes or takes away one. Gives what to tell.
    pub(super) async fn change(&mut self, delve: &Stopped, what: &Breakpointing) -> Vec<Told> {
        let change = |change: Change, id: i64| async move { delve.change_breakpoint(id, &change).await };
        let done = match what {
            Breakpointing::Set(place) => self.set(delve, place, false).await,
            Breakpointing::Trace(place) => self.set(delve, place, true).await,
            Breakpointing::Clear(id) => delve.clear_breakpoint(*id).await,
            Breakpointing::Condition(id, condition) => {
                change(Change { condition: Some(condition.clone()), ..Change::default() }, *id).await
            }
            Breakpointing::HitCondition(id, condition) => {
                change(Change { hit_condition: Some(condition.clone()), ..Change::default() }, *id).await
            }
            Breakpointing::Enable(id, enabled) => {
                change(Change { enabled: Some(*enabled), ..Change::default() }, *id).await
            }
            Breakpointing::Forget(wanted) => {
                self.unset.retain(|unset| unset.wanted != *wanted);
                Ok(())
            }
        };
        let mut told: Vec<Told> = done.err().map(|error| Told::Refused(error.into())).into_iter().collect();
        told.extend(self.told(delve).await);
        told
    }

    async fn set(&mut self, delve: &Stopped, place: &Place, tracepoint: bool) -> Result<(), Error> {
        let mut new = NewBreakpoint::at(place.clone());
        new.tracepoint = tracepoint;
        new.arguments = tracepoint.then(Load::default);
        let known = delve.set_breakpoint(&new).await?;
        if let Some(place) = lasting(place, &known) {
            self.unset.retain(|unset| unset.wanted.place != place);
            self.asked.insert(known.id, Asked { place, function: String::new() });
        }
        Ok(())
    }

    /// All there are now, with what changed since the last session. Remembers them.
    async fn told(&mut self, delve: &Stopped) -> Vec<Told> {
        let marks = match self.marks(delve).await {
            Ok(marks) => marks,
            Err(error) => return vec![Told::Refused(error.into())],
        };
        let wanted = self.wanted(&marks);
        let remembered = self.remembered.clone();
        let written = tokio::task::spawn_blocking(move || remembered.write(FILE, wanted.iter())).await;
        let hindered = written.unwrap_or_else(|_| Err(Failure::new(Exit::No, "they could not be written"))).err();
        // Once is enough.
        let hindered = hindered.filter(|_| !std::mem::replace(&mut self.complained, true));
        vec![Told::Breakpoints(marks, hindered)]
    }

    /// All there are now: how often they were hit changes with every run.
    pub(super) async fn marks(&mut self, delve: &Stopped) -> Result<Marks, Error> {
        let all = delve.breakpoints().await?;
        self.asked.retain(|id, _| all.iter().any(|breakpoint| breakpoint.id == *id));
        let known = |breakpoint: Breakpoint| {
            let before = self.asked.get(&breakpoint.id).map(|asked| asked.function.as_str()).unwrap_or_default();
            let moved = !before.is_empty() && before.as_bytes() != breakpoint.location.function.bytes();
            Known { moved: moved.then(|| Untrusted::from(before)), breakpoint }
        };
        Ok(Marks::new(all.into_iter().map(known).collect(), self.unset.clone()))
    }

    /// What is remembered of them.
    fn wanted(&self, marks: &Marks) -> Vec<Wanted> {
        let set = marks.set.iter().filter_map(|known| {
            let breakpoint = &known.breakpoint;
            let text = |text: &Untrusted| text.lossy().into_owned();
            Some(Wanted {
                place: self.asked.get(&breakpoint.id)?.place.clone(),
                function: text(&breakpoint.location.function),
                condition: text(&breakpoint.condition),
                hit_condition: text(&breakpoint.hit_condition),
                tracepoint: breakpoint.tracepoint,
                enabled: breakpoint.enabled,
            })
        });
        set.chain(marks.unset.iter().map(|unset| unset.wanted.clone())).filter(is_short).collect()
    }
}

/// Sets one of the last time. Gives its number.
async fn set(delve: &Stopped, wanted: &Wanted) -> Result<i64, Error> {
    let mut new = NewBreakpoint::at(Place::Expression(wanted.place.clone()));
    (new.condition, new.hit_condition) = (wanted.condition.clone(), wanted.hit_condition.clone());
    new.tracepoint = wanted.tracepoint;
    new.arguments = wanted.tracepoint.then(Load::default);
    let known = delve.set_breakpoint(&new).await?;
    if !wanted.enabled {
        let off = Change { enabled: Some(false), ..Change::default() };
        if let Err(error) = delve.change_breakpoint(known.id, &off).await {
            // One that is out of force stops nothing, or is not there.
            delve.clear_breakpoint(known.id).await?;
            return Err(error);
        }
    }
    Ok(known.id)
}

/// How to say the place of a breakpoint so that it is found again in another build: a function by its name, everything else by
/// file and line. An instruction that is on no line is not.
fn lasting(asked: &Place, set: &Breakpoint) -> Option<String> {
    let (file, line) = (set.location.file.lossy(), set.location.line);
    let place = match asked {
        Place::Line { file, line } => format!("{file}:{line}"),
        Place::Function(name) => name.clone(),
        // `main.(*store).buy`, but not `:12`, `+3`, `/buy/`, `*0x46c1e3`, `main.go:12`.
        Place::Expression(text) if *text.as_bytes() == *set.location.function.bytes() => text.clone(),
        Place::Expression(_) if !file.is_empty() && line > 0 => format!("{file}:{line}"),
        Place::Expression(_) | Place::Address(_) => return None,
    };
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delve::model::Location;

    #[test]
    fn places_are_remembered_so_that_they_are_found_again() {
        let location = Location {
            function: "main.(*store).buy".into(),
            file: "/src/store.go".into(),
            line: 42,
            ..Location::default()
        };
        let set = Breakpoint { id: 1, location, ..Breakpoint::default() };
        let expression = |text: &str| lasting(&Place::Expression(text.to_owned()), &set);
        assert_eq!(expression("main.(*store).buy").as_deref(), Some("main.(*store).buy"));
        for text in ["store.go:42", ":42", "+3", "/buy/", "*0x46c1e3", "main.(*store).buy:2"] {
            assert_eq!(expression(text).as_deref(), Some("/src/store.go:42"), "{text}");
        }
        let line = Place::Line { file: "/src/store.go".to_owned(), line: 42 };
        assert_eq!(lasting(&line, &set).as_deref(), Some("/src/store.go:42"));
        assert_eq!(lasting(&Place::Address(9), &set), None);
        assert_eq!(lasting(&Place::Expression("*0x46c1e3".to_owned()), &Breakpoint::default()), None);
    }

    #[test]
    fn what_no_session_has_written_is_not_set() {
        let home = tempfile::tempdir().unwrap();
        let of = Remembered::in_folder(home.path(), "shop");
        let path = home.path().join(FILE);
        let long = "x".repeat(LONGEST + 1);
        for text in [
            "[{}]".to_owned(),
            r#"[{"place":""}]"#.to_owned(),
            r#"[{"place":7}]"#.to_owned(),
            r#"["main.run"]"#.to_owned(),
            format!(r#"[{{"place":"{long}"}}]"#),
            format!(r#"[{{"place":"main.run","condition":"{long}"}}]"#),
        ] {
            std::fs::write(&path, format!(r#"{{"images":{{"shop":{text}}}}}"#)).unwrap();
            assert_eq!(read(&of), [], "{text}");
        }
        std::fs::write(&path, r#"{"images":{"shop":[{"place":"main.run"}]}}"#).unwrap();
        let bare = Wanted { place: "main.run".to_owned(), ..Wanted::default() };
        assert_eq!(read(&of), [bare], "what it does not say stops nothing");
    }
}
