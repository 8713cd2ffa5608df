//! What can be settled: one table, of which `docs/config.md` is made, and what `scratchdbg config` prints.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::By;
use crate::text::{self, is_dangerous};
use crate::toolkit;

/// What can be settled.
struct Key {
    table: &'static str,
    name: &'static str,
    option: &'static str,
    variable: &'static str,
    usual: &'static str,
    what: &'static str,
}

const KEYS: [Key; 1] = [Key {
    table: "kubernetes",
    name: "image",
    option: "--image",
    variable: toolkit::VARIABLE,
    usual: toolkit::NAME,
    what: "The image that is added to a pod, as `scratchdbg image build` makes it. With the digest that `image push` prints, it \
           is the same for all.",
}];

/// `docs/config.md`
#[must_use]
pub fn markdown() -> String {
    let mut out = "# Settings\n\n\
        What holds for all commands can be written down once, in `$XDG_CONFIG_HOME/scratchdbg/config.toml`; without that variable, \
        in\n`~/.config/scratchdbg/config.toml`. An option wins over a variable, and a variable over the file.\n\n\
        ```toml\n[kubernetes]\nimage = \"registry.example/tools/scratchdbg-toolkit:1\"\n```\n\n\
        | setting | option | variable | otherwise | what |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    for Key { table, name, option, variable, usual, what } in KEYS {
        let _ = writeln!(out, "| `{table}.{name}` | `{option}` | `{variable}` | `{usual}` | {what} |");
    }
    out.push_str(
        "\n`scratchdbg config` prints what holds now, as such a file, and who has settled it. A word in the file that is not \
         known is an\nerror, whatever the command. Under `sudo` it is the file of who typed that.\n",
    );
    out
}

/// What holds now, as the file that would settle it.
#[must_use]
pub fn show(path: Option<&Path>, image: &(String, By)) -> String {
    let place = path.map_or_else(
        || "no file: there is no home folder".to_owned(),
        |path| text::escape(path.as_os_str().as_bytes()),
    );
    let mut out = format!("# {place}\n");
    for (Key { table, name, option, variable, .. }, (value, by)) in KEYS.iter().zip([image]) {
        let by = match by {
            By::Option => format!("by {option}"),
            By::Variable => format!("by {variable}"),
            By::File => "by this file".to_owned(),
            By::Nobody => "by nobody: this is what is usual".to_owned(),
        };
        let _ = write!(out, "\n[{table}]\n# {by}\n{name} = {}\n", quoted(value));
    }
    out
}

/// As a string of TOML ("basic strings"), safe on a terminal.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_dangerous(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn what_is_shown_is_such_a_file() {
        for value in ["r.example/t:1@sha256:00", "a\"b\\c\n\t[kube]\u{1b}\u{7f}\u{202e}"] {
            let shown = show(Some(Path::new("/me/config.toml")), &(value.to_owned(), By::File));
            let settings = Settings::parse(Path::new("/me/config.toml"), &shown).unwrap();
            assert_eq!(settings.kubernetes.image.as_deref(), Some(value), "{shown}");
            assert!(shown.starts_with("# /me/config.toml\n"), "{shown}");
        }
    }

    #[test]
    fn the_documentation_is_not_stale() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == markdown(), "docs/config.md is stale: run UPDATE_DOCS=1 cargo test settings");
    }
}
