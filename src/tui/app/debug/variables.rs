//! Values: printed and watched expressions, arguments, local variables. A tree that unfolds.

use std::collections::{HashMap, HashSet};

use crate::delve::model::{Kind, Variable};
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::{Pattern, Search};
use crate::tui::message::debug::{Call, Purpose, Question};

/// Rows at most: whoever unfolds more looks for something else.
const MOST_ROWS: usize = 20_000;
/// Values at most of which is known what they were before.
const MOST_SEEN: usize = 4096;
/// How deep a tree is shown.
const DEEPEST: usize = 64;

/// Where a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An expression that was evaluated once.
    Printed,
    /// An expression that is evaluated for every call.
    Watch,
    /// What the function was called with.
    Argument,
    /// A local variable.
    Local,
}

impl Sort {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Printed => "printed",
            Self::Watch => "watch",
            Self::Argument => "arg",
            Self::Local => "local",
        }
    }
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// Where it is from.
    pub sort: Sort,
    /// The expression or the name, as it was typed or is in the program.
    pub name: String,
    /// The value. Neither a value nor an error: it is on its way.
    pub value: Option<Variable>,
    /// Why there is none.
    pub error: Option<String>,
    /// Whether it was another one when the process was looked at before.
    pub changed: bool,
}

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which root, then which child of it, and so on.
    pub path: Vec<usize>,
    /// How deep it is shown.
    pub depth: usize,
    /// Whether it is unfolded; `None` if there is nothing to unfold.
    pub open: Option<bool>,
    /// Whether it stands for what was not loaded of the value at its path.
    pub more: bool,
    key: String,
}

/// What a value was when the process was looked at.
#[derive(Debug, Clone)]
struct Seen {
    stop: u64,
    value: Untrusted,
    before: Option<Untrusted>,
}

/// All values of a call.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// Of which call.
    pub call: Option<Call>,
    /// They.
    pub roots: Vec<Root>,
    /// What is shown, in order.
    pub rows: Vec<Row>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub search: Option<Search>,
    /// Whether they are on their way.
    pub busy: bool,
    /// Why they cannot be read.
    pub error: Option<String>,
    open: HashSet<String>,
    seen: HashMap<(i64, String), Seen>,
    /// Counts how often the process was looked at anew.
    stop: u64,
}

impl Variables {
    /// The process has moved on, or another snapshot is looked at: what differs from now on has changed.
    pub fn anew(&mut self) {
        self.stop += 1;
        self.call = None;
        self.roots.retain(|root| root.sort == Sort::Watch);
        for root in &mut self.roots {
            (root.value, root.error, root.changed) = (None, None, false);
        }
        self.arrange();
    }

    /// Asks for those of a call.
    pub fn of(&mut self, call: Call) -> Vec<Question> {
        self.call = Some(call);
        self.busy = true;
        self.error = None;
        let watches = self.roots.iter().filter(|root| root.sort == Sort::Watch);
        let mut questions: Vec<Question> =
            watches.map(|root| evaluate(call, root.name.clone(), Purpose::Watch)).collect();
        questions.insert(0, Question::Variables(call));
        questions
    }

    /// Takes arguments and local variables.
    pub fn arrive(&mut self, arguments: Vec<Variable>, locals: Vec<Variable>) {
        self.busy = false;
        self.error = None;
        self.roots.retain(|root| matches!(root.sort, Sort::Printed | Sort::Watch));
        for (sort, variables) in [(Sort::Argument, arguments), (Sort::Local, locals)] {
            for value in variables {
                let name = value.name.safe().into_string();
                let changed = self.changed(&name, &value);
                self.roots.push(Root { sort, name, value: Some(value), error: None, changed });
            }
        }
        self.arrange();
    }

    /// Prints an expression, or watches it from now on.
    pub fn ask(&mut self, expression: &str, purpose: Purpose) -> Option<Question> {
        let call = self.call?;
        let sort = if purpose == Purpose::Watch { Sort::Watch } else { Sort::Printed };
        let root = Root { sort, name: expression.to_owned(), value: None, error: None, changed: false };
        match sort {
            Sort::Printed => {
                // One at a time: the last one is what one wants to see.
                self.roots.retain(|root| root.sort != Sort::Printed);
                self.roots.insert(0, root);
                self.cursor = Cursor::default();
            }
            _ => {
                if !self.roots.iter().any(|root| root.sort == Sort::Watch && root.name == expression) {
                    let at = self.roots.iter().take_while(|root| is_expression(root)).count();
                    self.roots.insert(at, root);
                }
            }
        }
        self.arrange();
        Some(evaluate(call, expression.to_owned(), purpose))
    }

    /// Takes the value of an expression.
    pub fn evaluated(&mut self, expression: &str, purpose: &Purpose, result: Result<Variable, String>) {
        let sort = match purpose {
            Purpose::Print => Sort::Printed,
            Purpose::Watch => Sort::Watch,
            Purpose::More(path) => {
                if let Ok(value) = result {
                    self.grow(path, expression, value);
                }
                return;
            }
        };
        let changed = result.as_ref().is_ok_and(|value| self.changed(expression, value));
        let Some(root) = self.roots.iter_mut().find(|root| root.sort == sort && root.name == expression) else {
            return;
        };
        root.changed = changed;
        (root.value, root.error) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        self.arrange();
    }

    /// Adds what was missing of a value.
    fn grow(&mut self, path: &[usize], expression: &str, loaded: Variable) {
        let Some(value) = self.value_mut(path) else { return };
        // It may be another value by now.
        let Some(more) = value.more.take_if(|more| more.expression == expression) else { return };
        if more.missing == 0 {
            let name = std::mem::take(&mut value.name);
            *value = Variable { name, ..loaded };
        } else if value.kind == Kind::String {
            value.children.push(Variable { name: "…".into(), more: None, ..loaded.clone() });
            value.more = loaded.more;
        } else {
            value.more = loaded.more;
            value.children.extend(loaded.children);
        }
        self.arrange();
    }

    /// The selected value as Go names it, and what it is if that is all there is to it; `None` where nothing can be set.
    #[must_use]
    pub fn settable(&self) -> Option<(String, String)> {
        let row = self.rows.get(self.cursor.at).filter(|row| !row.more)?;
        let (root, children) = row.path.split_first()?;
        let root = self.roots.get(*root)?;
        let (mut name, mut value) = (root.name.clone(), root.value.as_ref()?);
        for at in children {
            let child = value.children.get(*at)?;
            let part = child.name.safe();
            match value.kind {
                // Go follows a pointer to a struct by itself.
                Kind::Pointer if matches!(child.kind, Kind::Struct) => {}
                Kind::Pointer => name = format!("(*{name})"),
                Kind::Struct => name = format!("{name}.{part}"),
                Kind::Slice | Kind::Array => name = format!("{name}[{at}]"),
                _ => return None,
            }
            value = child;
        }
        let plain = value.children.is_empty() && value.more.is_none() && value.unreadable.is_none();
        Some((name, if plain { value.value.safe().into_string() } else { String::new() }))
    }

    /// What is to be asked after a value was changed: anything may be another one now.
    pub fn again(&mut self) -> Vec<Question> {
        self.call.map_or_else(Vec::new, |call| self.of(call))
    }

    /// Watches the selected expression no more. False if none is selected.
    pub fn unpin(&mut self) -> bool {
        let at = self.rows.get(self.cursor.at).and_then(|row| row.path.first().copied());
        let Some(at) = at.filter(|at| self.roots.get(*at).is_some_and(is_expression)) else { return false };
        self.roots.remove(at);
        self.arrange();
        true
    }

    /// Whether an expression is selected.
    #[must_use]
    pub fn on_expression(&self) -> bool {
        let at = self.rows.get(self.cursor.at).and_then(|row| row.path.first());
        at.and_then(|at| self.roots.get(*at)).is_some_and(is_expression)
    }

    /// Folds or unfolds the selected row, or asks for what was not loaded of it. `open` says which; nothing turns it
    /// round. Folding what is folded goes to what it is in.
    pub fn fold(&mut self, open: Option<bool>) -> Option<Question> {
        let row = self.rows.get(self.cursor.at)?;
        if row.more {
            let (path, call) = (row.path.clone(), self.call?);
            let expression = self.value(&path)?.more.as_ref()?.expression.clone();
            return (open != Some(false)).then(|| evaluate(call, expression, Purpose::More(path)));
        }
        match (row.open, open) {
            (Some(true), None | Some(false)) => {
                self.open.remove(&row.key);
                self.arrange();
            }
            (Some(false), None | Some(true)) => {
                self.open.insert(row.key.clone());
                self.arrange();
                // What was not loaded at all is loaded at once: there is nothing else to see.
                let row = self.rows.get(self.cursor.at + 1).filter(|row| row.more)?;
                let value = self.value(&row.path)?;
                let more = value.more.as_ref().filter(|_| value.children.is_empty())?;
                return Some(evaluate(self.call?, more.expression.clone(), Purpose::More(row.path.clone())));
            }
            (_, Some(false)) => {
                let depth = row.depth;
                let above = self.rows.get(..self.cursor.at)?;
                self.cursor.at = above.iter().rposition(|row| row.depth < depth)?;
            }
            _ => {}
        }
        None
    }

    /// The value of a row.
    #[must_use]
    pub fn value(&self, path: &[usize]) -> Option<&Variable> {
        let (root, children) = path.split_first()?;
        let mut value = self.roots.get(*root)?.value.as_ref()?;
        for at in children {
            value = value.children.get(*at)?;
        }
        Some(value)
    }

    fn value_mut(&mut self, path: &[usize]) -> Option<&mut Variable> {
        let (root, children) = path.split_first()?;
        let mut value = self.roots.get_mut(*root)?.value.as_mut()?;
        for at in children {
            value = value.children.get_mut(*at)?;
        }
        Some(value)
    }

    /// The root of a row, if the row is one.
    #[must_use]
    pub fn root(&self, row: &Row) -> Option<&Root> {
        self.roots.get(*row.path.first().filter(|_| row.path.len() == 1 && !row.more)?)
    }

    /// A row's name and value. Safe to show.
    #[must_use]
    pub fn words(&self, row: &Row) -> (String, String) {
        if let Some(root) = self.root(row) {
            let value = match (&root.value, &root.error) {
                (Some(value), _) => value_words(value),
                (None, Some(error)) => error.clone(),
                (None, None) => "…".to_owned(),
            };
            return (crate::text::escape(root.name.as_bytes()), value);
        }
        let Some(value) = self.value(&row.path) else { return Default::default() };
        if row.more {
            let missing = value.more.as_ref().map_or(0, |more| more.missing);
            let text = if missing == 0 { "not loaded".to_owned() } else { format!("{missing} more") };
            return ("…".to_owned(), text);
        }
        // A map has its keys and values one after the other.
        let key = row.path.split_last().and_then(|(at, parent)| {
            let map = self.value(parent).filter(|parent| parent.kind == Kind::Map)?;
            map.children.get(at.checked_sub(1)?)
        });
        let name = key.map_or_else(|| value.name.safe().into_string(), value_words);
        (name, value_words(value))
    }

    /// A row as it is searched and copied.
    #[must_use]
    pub fn copied(&self, row: usize) -> Option<String> {
        let row = self.rows.get(row)?;
        let (name, value) = self.words(row);
        Some(format!("{}{name} = {value}", "  ".repeat(row.depth)))
    }

    /// Searches what is unfolded.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        let lines: Vec<String> = (0..self.rows.len()).filter_map(|row| self.copied(row)).collect();
        self.search = pattern.map(|pattern| Search::new(pattern, lines.iter(), self.cursor.at));
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.cursor.at = line;
        }
    }

    /// Whether a value was another one when the process was looked at before.
    fn changed(&mut self, name: &str, value: &Variable) -> bool {
        let Some(call) = self.call else { return false };
        if self.seen.len() >= MOST_SEEN {
            self.seen.clear();
        }
        let (stop, now) = (self.stop, &value.value);
        let seen = self.seen.entry((call.goroutine, name.to_owned()));
        let seen = seen.or_insert_with(|| Seen { stop, value: now.clone(), before: None });
        if seen.stop < stop {
            *seen = Seen { stop, before: Some(std::mem::take(&mut seen.value)), value: now.clone() };
        } else {
            seen.value = now.clone();
        }
        seen.before.as_ref().is_some_and(|before| before != now)
    }

    fn arrange(&mut self) {
        let mut rows = Vec::new();
        for (at, root) in self.roots.iter().enumerate() {
            let key = format!("{}\0{}", root.sort.word(), root.name);
            match &root.value {
                Some(value) => self.push(&mut rows, vec![at], value, &key, 0),
                None => rows.push(Row { path: vec![at], depth: 0, open: None, more: false, key }),
            }
        }
        self.rows = rows;
        if self.search.is_some() {
            let at = self.cursor;
            let pattern = self.search.take().map(|search| search.pattern);
            self.find(pattern);
            self.cursor = at;
        }
    }

    fn push(&self, rows: &mut Vec<Row>, path: Vec<usize>, value: &Variable, key: &str, depth: usize) {
        if rows.len() >= MOST_ROWS || depth >= DEEPEST {
            return;
        }
        let (inside, inner) = inner(value, path.clone());
        let unfolds = !inside.children.is_empty() || inside.more.is_some();
        let open = unfolds.then(|| self.open.contains(key));
        rows.push(Row { path, depth, open, more: false, key: key.to_owned() });
        if open != Some(true) {
            return;
        }
        let child = |at: usize| {
            let mut path = inner.clone();
            path.push(at);
            path
        };
        let step = if inside.kind == Kind::Map { 2 } else { 1 };
        for (at, part) in inside.children.iter().enumerate().skip(step - 1).step_by(step) {
            let key = format!("{key}\0{at} {}", part.name.safe());
            self.push(rows, child(at), part, &key, depth + 1);
        }
        if inside.more.is_some() && rows.len() < MOST_ROWS {
            rows.push(Row { path: inner, depth: depth + 1, open: None, more: true, key: format!("{key}\0more") });
        }
    }
}

/// What is found when pointers and interfaces are followed: that is what unfolds.
fn inner(value: &Variable, mut path: Vec<usize>) -> (&Variable, Vec<usize>) {
    let mut inside = value;
    while let (Kind::Pointer | Kind::Interface, None, [only]) = (inside.kind, &inside.more, inside.children.as_slice())
    {
        path.push(0);
        inside = only;
    }
    (inside, path)
}

fn is_expression(root: &Root) -> bool {
    matches!(root.sort, Sort::Printed | Sort::Watch)
}

fn evaluate(call: Call, expression: String, purpose: Purpose) -> Question {
    Question::Evaluate { call, expression, purpose }
}

fn value_words(value: &Variable) -> String {
    match &value.unreadable {
        Some(_) if value.is_optimised_away() => "not kept here: the program is optimised".to_owned(),
        Some(why) => format!("unreadable: {}", why.safe()),
        None => value.value.safe().into_string(),
    }
}

#[cfg(test)]
mod tests;
