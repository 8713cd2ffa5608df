//! One line of the table: what was measured, beside what, and whether it is as good as it is meant to be.

use std::fmt;
use std::time::Duration;

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    Time(Duration),
    /// Of memory.
    Bytes(u64),
    /// Of one core.
    Share(f64),
}

/// How good it is meant to be.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At most so many times what the other one takes.
    AtMostTimes(f64),
    /// At least so many times faster than the other one.
    FasterTimes(f64),
    /// At most that much, whatever others take.
    AtMost(Amount),
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    pub what: String,
    pub ours: Amount,
    /// What it is compared with, and what that takes.
    pub rival: Option<(&'static str, Amount)>,
    pub goal: Goal,
}

impl Amount {
    fn value(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            #[allow(clippy::cast_precision_loss)]
            Self::Bytes(bytes) => bytes as f64,
            Self::Share(share) => share,
        }
    }
}

impl Figure {
    /// Ours divided by the other's.
    fn ratio(&self) -> Option<f64> {
        self.rival.map(|(_, theirs)| self.ours.value() / theirs.value())
    }

    fn met(&self) -> bool {
        match (self.goal, self.ratio()) {
            (Goal::AtMostTimes(times), Some(ratio)) => ratio <= times,
            (Goal::FasterTimes(times), Some(ratio)) => 1.0 / ratio >= times,
            (Goal::AtMost(limit), _) => self.ours.value() <= limit.value(),
            (_, None) => false,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if time.as_secs_f64() < 1.0 => write!(f, "{:.2} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => write!(f, "{:.2} s", time.as_secs_f64()),
            Self::Bytes(_) => write!(f, "{:.1} MiB", self.value() / f64::from(1 << 20)),
            Self::Share(share) => write!(f, "{:.2} % of a core", share * 100.0),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMostTimes(times) => write!(f, "≤ {times} ×"),
            Self::FasterTimes(times) => write!(f, "≥ {times} × faster"),
            Self::AtMost(limit) => write!(f, "≤ {limit}"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, theirs) = match &self.rival {
            Some((name, theirs)) => (format!("`{name}`"), theirs.to_string()),
            None => Default::default(),
        };
        let ratio = match (self.goal, self.ratio()) {
            (Goal::FasterTimes(_), Some(ratio)) => format!("{:.1} × faster", 1.0 / ratio),
            (_, Some(ratio)) => format!("{ratio:.2} ×"),
            (_, None) => String::new(),
        };
        let verdict = if self.met() { "met" } else { "**not met**" };
        let (what, ours, goal) = (&self.what, self.ours, self.goal);
        write!(f, "| {what} | {ours} | {name} | {theirs} | {ratio} | {goal} | {verdict} |")
    }
}

/// All figures as a table in Markdown.
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::from(
        "| what | scratchdbg | beside | takes | ratio | goal | |\n| --- | ---: | --- | ---: | ---: | --- | --- |\n",
    );
    for figure in figures {
        text.push_str(&figure.to_string());
        text.push('\n');
    }
    text
}
