//! What the terminal can do.

use std::io::IsTerminal as _;

use super::Check;

/// Looks at the terminal and what is said of it.
pub fn checks() -> Vec<Check> {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // One of them is enough: what is printed here may go through a pipe.
    let there = std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    let size = if there { crossterm::terminal::size().ok() } else { None };
    vec![
        terminal(var("TERM").as_deref(), var("COLORTERM").as_deref(), there, size),
        locale(["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| Some((*name, var(name)?)))),
    ]
}

fn terminal(term: Option<&str>, color: Option<&str>, there: bool, size: Option<(u16, u16)>) -> Check {
    const NAME: &str = "terminal";
    let mut seen = vec![format!("TERM is {}", term.unwrap_or("not set"))];
    seen.push(color.map_or_else(|| "COLORTERM is not set".to_owned(), |color| format!("COLORTERM is {color}")));
    if let Some((columns, rows)) = size {
        seen.push(format!("{columns} columns, {rows} rows"));
    }
    let seen = seen.join("; ");
    if !there {
        return Check::info(NAME, format!("none here, so no screen; commands need none ({seen})"));
    }
    if matches!(term, None | Some("dumb")) {
        return Check::warn(
            NAME,
            seen,
            "a terminal that can draw says so: export TERM=xterm-256color, if it is one like that",
        );
    }
    Check::ok(NAME, seen)
}

/// The first of these that is set decides, as for every program (locale(7)).
fn locale(set: Option<(&str, String)>) -> Check {
    const NAME: &str = "locale";
    let utf8 = |value: &str| {
        let charset = value.split_once('.').map(|(_, charset)| charset.split('@').next().unwrap_or_default());
        charset.is_some_and(|charset| charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8"))
    };
    match set {
        Some((name, value)) if utf8(&value) => Check::ok(NAME, format!("UTF-8 ({name}={value})")),
        // The screen is UTF-8 whatever is said here: it is the terminal that has to know.
        Some((name, value)) => Check::info(
            NAME,
            format!(
                "{name}={value} does not say UTF-8; the screen is, so if its lines look odd, set the terminal and this to UTF-8"
            ),
        ),
        None => Check::info(NAME, "not set; the screen is UTF-8, so if its lines look odd, set the terminal to UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn terminals() {
        for (term, color, there, size, verdict, words) in [
            (Some("xterm-256color"), Some("truecolor"), true, Some((120, 40)), Verdict::Ok, "120 columns, 40 rows"),
            (Some("xterm"), None, true, Some((80, 24)), Verdict::Ok, "COLORTERM is not set"),
            (Some("dumb"), None, true, None, Verdict::Warn, "TERM is dumb"),
            (None, None, true, None, Verdict::Warn, "TERM is not set"),
            (None, None, false, None, Verdict::Info, "commands need none"),
        ] {
            let check = terminal(term, color, there, size);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
    }

    #[test]
    fn locales() {
        for (set, verdict) in [
            (Some(("LANG", "C.UTF-8")), Verdict::Ok),
            (Some(("LC_ALL", "de_DE.utf8@euro")), Verdict::Ok),
            (Some(("LANG", "POSIX")), Verdict::Info),
            (Some(("LANG", "de_DE.ISO-8859-1")), Verdict::Info),
            (None, Verdict::Info),
        ] {
            let check = locale(set.map(|(name, value)| (name, value.to_owned())));
            assert_eq!(check.verdict, verdict, "{check:?}");
        }
    }
}
