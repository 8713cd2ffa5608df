//! Copying goes through the terminal (OSC 52), and tmux stands between.

use super::Check;
use crate::programs;

/// Asks tmux, if it is there.
pub async fn check() -> Check {
    if std::env::var_os("TMUX").is_none() {
        return judge(None);
    }
    let Some(tmux) = programs::find("tmux") else {
        let why = "there is no tmux on PATH".to_owned();
        return judge(Some((Err(why.clone()), Err(why))));
    };
    let clipboard = programs::output(&tmux, &["show-options", "-sv", "set-clipboard"], &[]).await;
    let passthrough = programs::output(&tmux, &["show-options", "-gv", "allow-passthrough"], &[]).await;
    judge(Some((clipboard, passthrough)))
}

/// What tmux says of `set-clipboard` and of `allow-passthrough`.
type Settings = (Result<String, String>, Result<String, String>);

fn judge(tmux: Option<Settings>) -> Check {
    const NAME: &str = "clipboard";
    let fix = "tmux set-option -s set-clipboard on";
    let Some((clipboard, passthrough)) = tmux else {
        return Check::ok(NAME, "the terminal's own (OSC 52), if it allows that");
    };
    // tmux knows it since 3.3. What is copied here is not wrapped, so it does not help.
    let passthrough = passthrough.ok().filter(|value| !value.is_empty());
    let passthrough = passthrough.map_or_else(String::new, |value| format!(", allow-passthrough {value}"));
    match clipboard.as_deref() {
        Ok("on") => Check::ok(NAME, format!("tmux passes it on (set-clipboard on{passthrough})")),
        Ok(value) => {
            Check::warn(NAME, format!("tmux does not take it from programs (set-clipboard {value}{passthrough})"), fix)
        }
        Err(error) => Check::warn(NAME, format!("tmux did not say whether it passes it on: {error}"), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn only_one_setting_lets_a_program_copy() {
        let some = |text: &str| Ok(text.to_owned());
        for (tmux, verdict, words) in [
            (None, Verdict::Ok, "OSC 52"),
            (Some((some("on"), some("off"))), Verdict::Ok, "(set-clipboard on, allow-passthrough off)"),
            (Some((some("external"), some("on"))), Verdict::Warn, "(set-clipboard external, allow-passthrough on)"),
            (Some((some("external"), some(""))), Verdict::Warn, "(set-clipboard external)"),
            (Some((Err("gone".to_owned()), some("on"))), Verdict::Warn, "did not say whether it passes it on: gone"),
        ] {
            let check = judge(tmux);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
            assert_eq!(check.fix.is_some(), verdict == Verdict::Warn);
        }
    }
}
