//! Which lines of a log are shown.

use super::sink::{Form, Sink, Speaker};
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::logs::filter::Filter;
use crate::logs::level::Level;
use crate::logs::{LineRef, Output};

/// Which lines are wanted.
pub struct Wanted {
    /// Those that match it.
    pub filter: Option<Filter>,
    level: Option<Level>,
}

impl Wanted {
    /// As asked for.
    ///
    /// # Errors
    /// If there is no such level.
    pub fn new(args: &cli::Logs) -> Result<Self, Failure> {
        let level = args.level.as_deref().map(str::parse).transpose();
        Ok(Self {
            filter: args.grep.as_deref().and_then(Filter::new),
            level: level.map_err(|why: String| Failure::new(Exit::Usage, why).on("--level"))?,
        })
    }

    /// Whether all are.
    pub fn everything(&self) -> bool {
        self.filter.is_none() && self.level.is_none()
    }
}

/// What has been shown, as far as it decides what is shown next.
pub struct Shown<'w> {
    wanted: &'w Wanted,
    times: bool,
    /// The level of the last line of each output that told one.
    last: [Option<Level>; 2],
    /// Whose lines they are, where there are those of others.
    speaker: Option<Speaker>,
}

impl<'w> Shown<'w> {
    /// Nothing so far.
    pub fn new(wanted: &'w Wanted, times: bool, speaker: Option<Speaker>) -> Self {
        Self { wanted, times, last: [None; 2], speaker }
    }

    /// Shows a line, if it is wanted. `cut` counts those that are not whole.
    pub fn line(&mut self, sink: &mut Sink, line: LineRef<'_>, cut: &mut u64) {
        let needs_level = self.wanted.level.is_some() || sink.form(line.output) == Form::Json;
        let own = if needs_level { Level::detect(line.text) } else { None };
        if let Some(least) = self.wanted.level {
            // A line that tells no level (a stack trace, say) counts with the line before it.
            let last = &mut self.last[line.output as usize];
            *last = own.or(*last);
            if last.is_none_or(|level| level < least) {
                return;
            }
        }
        if self.wanted.filter.as_ref().is_some_and(|filter| !filter.accepts(line.text)) {
            return;
        }
        *cut += u64::from(line.cut);
        sink.line(line, own, self.times, self.speaker.as_ref());
    }
}

const _: () = assert!(Output::Stdout as usize == 0 && Output::Stderr as usize == 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(level: Option<Level>, grep: Option<&str>, lines: &[(Output, &str)]) -> String {
        let mut sink = Sink::apart(Form::Text);
        let wanted = Wanted { filter: grep.and_then(Filter::new), level };
        let mut shown = Shown::new(&wanted, false, None);
        for (output, text) in lines {
            let line = LineRef { output: *output, time: None, text: text.as_bytes(), cut: false, length: 0 };
            shown.line(&mut sink, line, &mut 0);
        }
        sink.text()
    }

    #[test]
    fn a_trace_goes_with_the_line_before_it() {
        use Output::{Stderr, Stdout};
        let lines = [
            (Stdout, "before any level"),
            (Stdout, "level=info msg=fine"),
            (Stderr, "panic: oh no"),
            (Stdout, "still fine"),
            (Stderr, "goroutine 1 [running]:"),
            (Stdout, "level=error msg=bad"),
            (Stdout, "  at main.go:7"),
        ];
        let errors = "level=error msg=bad\n  at main.go:7\npanic: oh no\ngoroutine 1 [running]:\n";
        assert_eq!(shown(Some(Level::Error), None, &lines), errors);
        assert_eq!(shown(Some(Level::Error), Some("!main"), &lines), errors.replace("  at main.go:7\n", ""));
        assert_eq!(shown(None, Some("FINE"), &lines), "");
        assert_eq!(shown(None, Some("fine"), &lines), "level=info msg=fine\nstill fine\n");
    }
}
