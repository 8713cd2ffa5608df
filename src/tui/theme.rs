//! Colours by role. State is never told by colour alone.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// The terminal's own sixteen, on its own background.
    #[default]
    Ansi,
    /// The same, with the tones that can be read on a light background.
    Light,
    /// No colour: bold, dim, underlined and reversed only.
    Mono,
}

impl FromStr for ThemeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ansi" => Ok(Self::Ansi),
            "light" => Ok(Self::Light),
            "mono" => Ok(Self::Mono),
            other => Err(format!("no theme is called {other:?}: ansi, light or mono")),
        }
    }
}

/// A style for each role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Which one this is.
    pub choice: ThemeChoice,
    /// Plain text.
    pub text: Style,
    /// Less important text.
    pub dim: Style,
    /// Names of fields and columns.
    pub label: Style,
    /// Headings.
    pub heading: Style,
    /// Borders.
    pub border: Style,
    /// The border of what has the focus.
    pub focus: Style,
    /// The selected row.
    pub selected: Style,
    /// Keys in help and footer.
    pub key: Style,
    /// All is well.
    pub good: Style,
    /// Worth a look.
    pub warn: Style,
    /// Wrong.
    pub bad: Style,
    /// Directories, links and such.
    pub special: Style,
    /// Lines of the standard error stream.
    pub stderr: Style,
    /// A match of a search.
    pub found: Style,
    /// The match the search is at.
    pub found_here: Style,
    /// Small words in the status line.
    pub chip: Style,
}

impl Theme {
    /// The styles of a choice.
    #[must_use]
    pub fn new(choice: ThemeChoice) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        let underlined = plain.add_modifier(Modifier::UNDERLINED);
        let mono = Self {
            choice,
            text: plain,
            dim,
            label: dim,
            heading: bold,
            border: dim,
            focus: plain,
            selected: reversed.add_modifier(Modifier::BOLD),
            key: bold,
            good: plain,
            warn: bold,
            bad: bold.add_modifier(Modifier::UNDERLINED),
            special: bold,
            stderr: bold,
            found: underlined,
            found_here: reversed,
            chip: reversed,
        };
        match choice {
            ThemeChoice::Mono => mono,
            ThemeChoice::Ansi => Self {
                dim: plain.fg(Color::DarkGray),
                label: plain.fg(Color::Cyan),
                heading: bold.fg(Color::Cyan),
                border: plain.fg(Color::DarkGray),
                focus: plain.fg(Color::Cyan),
                key: bold.fg(Color::Yellow),
                good: plain.fg(Color::Green),
                warn: plain.fg(Color::Yellow),
                bad: bold.fg(Color::Red),
                special: plain.fg(Color::LightBlue),
                stderr: plain.fg(Color::Red),
                found: plain.fg(Color::Black).bg(Color::Yellow),
                found_here: bold.fg(Color::Black).bg(Color::Green),
                ..mono
            },
            ThemeChoice::Light => Self {
                dim: plain.fg(Color::DarkGray),
                label: plain.fg(Color::Blue),
                heading: bold.fg(Color::Blue),
                border: plain.fg(Color::DarkGray),
                focus: plain.fg(Color::Blue),
                key: bold.fg(Color::Magenta),
                good: bold.fg(Color::Green),
                warn: bold.fg(Color::Magenta),
                bad: bold.fg(Color::Red),
                special: plain.fg(Color::Blue),
                stderr: plain.fg(Color::Red),
                found: plain.fg(Color::Black).bg(Color::Cyan),
                found_here: bold.fg(Color::White).bg(Color::Blue),
                ..mono
            },
        }
    }

    /// A style that came with the text, as far as this theme shows it.
    #[must_use]
    pub fn foreign(&self, style: Style) -> Style {
        if self.choice == ThemeChoice::Mono { Style { fg: None, bg: None, ..style } } else { style }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_has_no_colour() {
        let theme = Theme::new(ThemeChoice::Mono);
        for style in [
            theme.text,
            theme.dim,
            theme.label,
            theme.heading,
            theme.border,
            theme.focus,
            theme.selected,
            theme.key,
            theme.good,
            theme.warn,
            theme.bad,
            theme.special,
            theme.stderr,
            theme.found,
            theme.found_here,
            theme.chip,
            theme.foreign(Style::new().fg(Color::Red).bg(Color::Blue)),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
        assert!(theme.selected.add_modifier.contains(Modifier::REVERSED));
    }
}
