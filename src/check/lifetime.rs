//! How it begins, is asked whether it is well, and ends.

use super::facts::{Facts, Seen};
use super::finding::{Finding, Group, Kind};
use super::symbols::go;
use crate::text::Untrusted;

const GROUP: Group = Group::Lifetime;
/// Where a shell is that `CMD-SHELL` and the shell form run.
pub const SHELL: &str = "/bin/sh";
/// `SIGTERM`'s bit of a mask of signals (signal(7)).
const TERM: u64 = 1 << 14;

/// All findings about its life.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![form(facts)];
    all.extend(ending(facts));
    all.extend(health(facts));
    all
}

/// A list that has the program in it, for people to paste.
fn listed(word: &Untrusted) -> String {
    format!("ENTRYPOINT [\"{}\"]", word.safe())
}

fn form(facts: &Facts) -> Finding {
    let id = "lifetime.form";
    let Some(shell) = &facts.program.shell else {
        return Finding::ok(GROUP, id, "it is run itself, by no shell");
    };
    let fix = format!("{}    # the list runs the program itself", listed(&facts.program.name));
    let setting = format!("{} -c …", shell.path.lossy());
    let finding = if shell.there {
        let message = format!(
            "{} runs it: signals reach the shell and not the program, which is killed in the end",
            shell.path.safe()
        );
        Finding::warning(GROUP, id, message)
    } else {
        let message =
            format!("{0} is to run it and is not there: \"exec: {0}: no such file or directory\"", shell.path.safe());
        Finding::failure(GROUP, id, message).with(Kind::Missing, shell.path.clone())
    };
    finding.with(Kind::Setting, setting.as_str()).fix(fix)
}

/// Whether it hears that it should end. The kernel gives the first process of a container only the signals that it asks for
/// (pid_namespaces(7)); Go's runtime asks for all, and ends the program at once where that has not asked itself.
fn ending(facts: &Facts) -> Option<Finding> {
    let id = "lifetime.sigterm";
    let signal =
        facts.setup.stop_signal.as_ref().map_or_else(|| "SIGTERM".to_owned(), |name| name.lossy().into_owned());
    let is_term = matches!(signal.as_str(), "SIGTERM" | "TERM" | "15");
    if facts.elf()?.go.is_some() {
        if !facts.knows_symbols() {
            return None;
        }
        let setting = format!("STOPSIGNAL {signal}");
        if let Some(symbol) = facts.linked_of(&go::SIGNALS).first() {
            let finding = Finding::ok(GROUP, id, "it can ask for signals, to end in order").with(Kind::Symbol, *symbol);
            return Some(if is_term { finding } else { finding.with(Kind::Setting, setting.as_str()) });
        }
        let message = format!("it asks for no signal: at {signal} it ends at once, with all that it was doing");
        let fix = "ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)    # and server.Shutdown when ctx is done";
        return Some(Finding::warning(GROUP, id, message).fix(fix));
    }
    let running = facts.running.as_ref().filter(|running| running.is_first)?;
    let caught = running.caught?;
    let kernel = format!("signals with a handler: {caught:016x}");
    if !is_term || caught & TERM != 0 {
        return Some(Finding::ok(GROUP, id, "it has a handler for SIGTERM").with(Kind::Kernel, kernel.as_str()));
    }
    let message = "it is the first process and has no handler for SIGTERM: the kernel does not deliver it, and it is killed after 10 s";
    Some(
        Finding::warning(GROUP, id, message)
            .with(Kind::Kernel, kernel.as_str())
            .fix("docker run --init    # or handle SIGTERM"),
    )
}

fn health(facts: &Facts) -> Option<Finding> {
    let id = "lifetime.health";
    let words = &facts.setup.health;
    let (kind, rest) = words.split_first()?;
    let fix = "HEALTHCHECK CMD [\"/app\", \"-health\"]    # the list runs the program itself; a scratch image has nothing else";
    // Of its arguments nothing is shown: they may be anything.
    let (path, setting) = match kind.bytes() {
        b"CMD-SHELL" => (Untrusted::from(SHELL), "HEALTHCHECK CMD …".to_owned()),
        b"CMD" => {
            let program = rest.first()?;
            (program.clone(), format!("HEALTHCHECK CMD [\"{}\", …]", program.lossy()))
        }
        _ => return None,
    };
    let seen = facts.files.get(path.bytes())?;
    let with = |finding: Finding| finding.with(Kind::Setting, setting.as_str());
    Some(match seen {
        Seen::Missing => {
            let message = format!("its health check needs {}, which is not there: it is never healthy", path.safe());
            with(Finding::failure(GROUP, id, message)).with(Kind::Missing, path).fix(fix)
        }
        Seen::There(_) => with(Finding::ok(GROUP, id, format!("its health check runs {}", path.safe()))),
        _ => with(Finding::unknown(
            GROUP,
            id,
            format!("its health check needs {}, which could not be looked at", path.safe()),
        )),
    })
}
