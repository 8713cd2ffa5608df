//! The list of containers.

use crate::engine::{State, Summary};
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::Pattern;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Running ones first, then by name.
    #[default]
    State,
    /// By name.
    Name,
    /// By image.
    Image,
    /// Youngest first.
    Created,
}

impl Sort {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::State => Self::Name,
            Self::Name => Self::Image,
            Self::Image => Self::Created,
            Self::Created => Self::State,
        }
    }
}

/// The list of containers.
#[derive(Debug, Clone, Default)]
pub struct Picker {
    /// All of them; `None` until the engine answered.
    pub containers: Option<Vec<Summary>>,
    /// Which are shown, in order.
    pub order: Vec<usize>,
    /// Where one is.
    pub cursor: Cursor,
    /// What they must match.
    pub filter: Option<Pattern>,
    /// Whether only running ones are shown.
    pub running_only: bool,
    /// What they are sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reverse: bool,
}

/// Whether a container can be looked into.
#[must_use]
pub fn alive(state: State) -> bool {
    matches!(state, State::Running | State::Paused)
}

impl Picker {
    /// Takes the engine's list. The same container stays selected.
    pub fn set(&mut self, containers: Vec<Summary>) {
        let selected = self.selected().map(|container| container.id.clone());
        self.containers = Some(containers);
        self.arrange();
        if let Some(id) = selected {
            let at = self.order.iter().position(|at| self.get(*at).is_some_and(|container| container.id == id));
            self.cursor.at = at.unwrap_or(self.cursor.at);
        }
    }

    fn get(&self, at: usize) -> Option<&Summary> {
        self.containers.as_ref()?.get(at)
    }

    /// The container in a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Summary> {
        self.get(*self.order.get(row)?)
    }

    /// The selected container.
    #[must_use]
    pub fn selected(&self) -> Option<&Summary> {
        self.row(self.cursor.at)
    }

    /// Filters and sorts.
    pub fn arrange(&mut self) {
        let containers = self.containers.as_deref().unwrap_or_default();
        let mut rows: Vec<(usize, &Summary)> = containers
            .iter()
            .enumerate()
            .filter(|(_, container)| !self.running_only || alive(container.state))
            .filter(|(_, container)| self.filter.as_ref().is_none_or(|filter| filter.hits(&haystack(container))))
            .collect();
        rows.sort_by(|(_, a), (_, b)| {
            let order = match self.sort {
                Sort::State => alive(b.state).cmp(&alive(a.state)),
                Sort::Name => std::cmp::Ordering::Equal,
                Sort::Image => a.image.cmp(&b.image),
                Sort::Created => b.created.cmp(&a.created),
            };
            order.then_with(|| a.name.cmp(&b.name))
        });
        if self.reverse {
            rows.reverse();
        }
        self.order = rows.into_iter().map(|(at, _)| at).collect();
    }
}

fn haystack(container: &Summary) -> Vec<u8> {
    let Summary { id, name, image, status, command, .. } = container;
    format!("{name}\n{image}\n{id}\n{status}\n{command}\n{}", state_word(container.state)).into_bytes()
}

/// The word of a state.
#[must_use]
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Created => "created",
        State::Running => "running",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Removing => "removing",
        State::Exited => "exited",
        State::Dead => "dead",
    }
}

/// The sign of a state.
#[must_use]
pub fn state_sign(state: State) -> &'static str {
    match state {
        State::Running => "●",
        State::Paused => "‖",
        State::Restarting => "↻",
        State::Created => "·",
        State::Exited | State::Removing => "○",
        State::Dead => "✗",
    }
}

/// The list as text, for the clipboard.
#[must_use]
pub fn text(picker: &Picker) -> Vec<String> {
    (0..picker.order.len())
        .filter_map(|row| picker.row(row))
        .map(|c| {
            let line = format!("{} {} {} {}", c.name, c.image, c.status, c.id.get(..12).unwrap_or(&c.id));
            Untrusted::from(line.as_str()).safe().into_string()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(name: &str, state: State, created: u64) -> Summary {
        Summary {
            id: format!("{name}-id"),
            name: name.to_owned(),
            image: "acme/shop:1".to_owned(),
            state,
            status: String::new(),
            created: Some(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(created)),
            command: String::new(),
            labels: Vec::new(),
        }
    }

    fn names(picker: &Picker) -> Vec<&str> {
        (0..picker.order.len()).filter_map(|row| picker.row(row)).map(|c| c.name.as_str()).collect()
    }

    #[test]
    fn filter_sort_and_selection() {
        let mut picker = Picker::default();
        let list =
            vec![summary("b", State::Exited, 3), summary("c", State::Running, 1), summary("a", State::Running, 2)];
        picker.set(list.clone());
        assert_eq!(names(&picker), ["a", "c", "b"]);
        picker.cursor.at = 1;
        picker.sort = Sort::Created;
        picker.arrange();
        assert_eq!(names(&picker), ["b", "a", "c"]);
        picker.cursor.at = 2;
        picker.sort = Sort::State;
        picker.set(list);
        assert_eq!(picker.selected().map(|c| c.name.as_str()), Some("c"), "the selection follows the container");
        picker.running_only = true;
        picker.arrange();
        assert_eq!(names(&picker), ["a", "c"]);
        picker.running_only = false;
        picker.filter = Pattern::new("exited");
        picker.arrange();
        assert_eq!(names(&picker), ["b"]);
    }
}
