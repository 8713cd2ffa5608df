//! Who it runs as, and where it may write.

use super::facts::{Facts, File, Seen};
use super::finding::{Finding, Group, Kind};
use super::symbols::{c, go};
use crate::inspect::files;
use crate::text::Untrusted;

const GROUP: Group = Group::Users;

/// All findings about users.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![user(facts)];
    all.extend(passwd(facts));
    all.extend(home(facts));
    all.extend(temporary(facts));
    all.extend(writable(facts));
    all
}

fn user(facts: &Facts) -> Finding {
    let named = &facts.setup.user;
    let seen = |finding: Finding| {
        if named.bytes().is_empty() {
            finding
        } else {
            finding.with(Kind::Setting, format!("USER {}", named.lossy()).as_str())
        }
    };
    if facts.user.unknown_name {
        let message =
            format!("USER is {}, which /etc/passwd does not know: the container does not start", named.safe());
        return seen(Finding::failure(GROUP, "users.user", message))
            .with(Kind::Missing, "/etc/passwd")
            .fix("USER 65532:65532");
    }
    match facts.user.uid {
        Some(0) => seen(Finding::warning(GROUP, "users.user", "it runs as root")).fix("USER 65532:65532"),
        Some(uid) => {
            let is_number = |text: &Untrusted| text.lossy().split(':').all(|part| part.parse::<u32>().is_ok());
            if facts.running.is_none() && !is_number(named) {
                let message = format!(
                    "it runs as user {uid}, but is named by a word: Kubernetes cannot see that it is not root (runAsNonRoot)"
                );
                return seen(Finding::warning(GROUP, "users.user", message))
                    .fix(format!("USER {uid}:{}", facts.user.gid));
            }
            let message = format!("it runs as user {uid}, group {}", facts.user.gid);
            seen(Finding::ok(GROUP, "users.user", message))
        }
        None => seen(Finding::unknown(GROUP, "users.user", "it is not known as whom it runs")),
    }
}

/// Whether it asks who it is, and gets no answer. Go takes `$USER` and `$HOME` for one (os/user, `lookup_stubs.go`).
fn passwd(facts: &Facts) -> Option<Finding> {
    let asks = facts.linked_of(if facts.elf()?.go.is_some() { &go::USERS[..] } else { &c::USERS });
    let symbol = asks.first()?;
    let uid = facts.user.uid?;
    if facts.user.in_passwd {
        let message = format!("/etc/passwd knows user {uid}");
        return Some(
            Finding::ok(GROUP, "users.passwd", message).with(Kind::Symbol, *symbol).with(Kind::Path, "/etc/passwd"),
        );
    }
    if facts.elf()?.go.is_some() && facts.variable("USER").is_some() && facts.variable("HOME").is_some() {
        let message =
            "/etc/passwd does not know its user, but USER and HOME are set, which is enough for os/user.Current";
        return Some(Finding::ok(GROUP, "users.passwd", message).with(Kind::Symbol, *symbol));
    }
    let result = if facts.elf()?.go.is_some() { ": \"user: unknown userid\"" } else { "" };
    let message = format!("it asks who it is, and /etc/passwd does not know user {uid}{result}");
    let fix = format!(
        "RUN echo 'app:x:{uid}:{}::/:/' > /passwd    # in the build stage, then: COPY --from=build /passwd /etc/passwd",
        facts.user.gid
    );
    let there = facts.file("/etc/passwd").is_some();
    let kind = if there { Kind::Path } else { Kind::Missing };
    Some(
        Finding::warning(GROUP, "users.passwd", message).with(Kind::Symbol, *symbol).with(kind, "/etc/passwd").fix(fix),
    )
}

fn home(facts: &Facts) -> Option<Finding> {
    let symbol = *facts.linked_of(&go::HOME).first()?;
    let Some(home) = facts.variable("HOME") else {
        // The engine sets it where the container is started (runc: of /etc/passwd, otherwise `/`).
        let running = facts.running.as_ref()?;
        let fix = if running.container { "ENV HOME=/tmp" } else { "set HOME" };
        let message = "it looks for its home, and HOME is not set: \"$HOME is not defined\"";
        return Some(Finding::warning(GROUP, "users.home", message).with(Kind::Symbol, symbol).fix(fix));
    };
    let variable = format!("HOME={}", home.lossy());
    let seen = |finding: Finding| finding.with(Kind::Symbol, symbol).with(Kind::Variable, variable.as_str());
    match facts.seen(&home.lossy())? {
        Seen::Missing => {
            let message = format!("its home {} is not there", home.safe());
            Some(
                seen(Finding::warning(GROUP, "users.home", message))
                    .fix("ENV HOME=/tmp    # or: WORKDIR /home/app, as its user"),
            )
        }
        Seen::There(file) if may_write(facts, file) == Some(false) => {
            let message = format!("its home {} is not its to write in", home.safe());
            Some(
                seen(Finding::warning(GROUP, "users.home", message))
                    .fix("ENV HOME=/tmp    # or a directory of its user's"),
            )
        }
        Seen::There(_) => Some(seen(Finding::ok(GROUP, "users.home", format!("its home {} is there", home.safe())))),
        _ => None,
    }
}

fn may_write(facts: &Facts, file: &File) -> Option<bool> {
    if file.kind == files::Kind::Directory { facts.user.may(3, file) } else { Some(false) }
}

/// Whether something is mounted there, or the root file system can be written.
fn is_mounted(facts: &Facts, path: &str) -> bool {
    let Some(running) = &facts.running else { return true };
    let below = |point: &Untrusted| {
        let point = point.lossy();
        path == point || path.strip_prefix(&*point).is_some_and(|rest| rest.starts_with('/'))
    };
    running.read_only != Some(true) || running.mounts.iter().any(below)
}

fn temporary(facts: &Facts) -> Option<Finding> {
    let asks = facts.linked_of(if facts.elf()?.go.is_some() { &go::TEMPORARY[..] } else { &c::TEMPORARY });
    let symbol = *asks.first()?;
    let path = facts.variable("TMPDIR").map_or_else(|| "/tmp".to_owned(), |path| path.lossy().into_owned());
    let shown = Untrusted::from(path.as_str()).safe();
    let fix = format!(
        "docker run --tmpfs {shown}    # or, in the build stage: RUN mkdir -m 1777 /empty, then: COPY --from=build /empty {shown}"
    );
    match facts.seen(&path)? {
        Seen::Missing => {
            let message = format!("it makes temporary files, and there is no {shown}: \"no such file or directory\"");
            let finding = Finding::warning(GROUP, "users.tmp", message).with(Kind::Symbol, symbol);
            Some(finding.with(Kind::Missing, path.as_str()).fix(fix))
        }
        Seen::There(file) => {
            let mode = format!("{path} is {:04o}, of {}:{}", file.mode, file.uid, file.gid);
            let with = |finding: Finding| finding.with(Kind::Symbol, symbol).with(Kind::Path, mode.as_str());
            if may_write(facts, file) == Some(false) {
                let message = format!("it makes temporary files, and may not write in {shown}: \"permission denied\"");
                return Some(with(Finding::warning(GROUP, "users.tmp", message)).fix(fix));
            }
            if !is_mounted(facts, &path) {
                let message = format!("it makes temporary files, and {shown} is read-only: \"read-only file system\"");
                return Some(
                    with(Finding::warning(GROUP, "users.tmp", message)).fix(format!("docker run --tmpfs {shown}")),
                );
            }
            Some(with(Finding::ok(GROUP, "users.tmp", format!("it may make temporary files in {shown}"))))
        }
        _ => None,
    }
}

/// What it says it keeps things in.
fn writable(facts: &Facts) -> Option<Finding> {
    let volumes = &facts.setup.volumes;
    let refused = volumes.iter().find(|path| {
        let seen = facts.files.get(path.bytes());
        seen.is_some_and(|seen| match seen {
            Seen::There(file) => may_write(facts, file) == Some(false),
            // The engine makes it, for root.
            Seen::Missing => facts.user.uid.is_some_and(|uid| uid != 0),
            _ => false,
        })
    });
    if let Some(path) = refused {
        let uid = facts.user.uid.map_or_else(String::new, |uid| format!(" {uid}"));
        let message = format!("user{uid} may not write in its volume {}", path.safe());
        let fix = format!("COPY --from=build --chown={0}:{0} /empty {1}", uid.trim(), path.safe());
        return Some(
            Finding::warning(GROUP, "users.volumes", message)
                .with(Kind::Setting, format!("VOLUME {}", path.lossy()).as_str())
                .fix(fix),
        );
    }
    let mounts = facts.running.as_ref().map(|running| running.mounts.clone()).unwrap_or_default();
    let places: Vec<_> = volumes.iter().chain(&mounts).map(|path| path.safe().into_string()).collect();
    (!places.is_empty()).then(|| {
        let message = format!("it may keep things in {}", places.join(", "));
        Finding::ok(GROUP, "users.volumes", message)
    })
}
