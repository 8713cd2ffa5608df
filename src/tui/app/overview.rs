//! What the container is: groups of facts.

use std::time::Duration;

use super::picker::alive;
use super::procs;
use super::workspace::{Connection, Workspace};
use crate::inspect::process::{Detail, Part};
use crate::target::Target;
use crate::text::Untrusted;
use crate::tui::message::Clock;
use crate::tui::words;

/// How good a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Just a fact.
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
}

/// One fact: name and value, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// How good it is.
    pub tone: Tone,
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its heading.
    pub title: &'static str,
    /// Its facts.
    pub facts: Vec<Fact>,
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, name: &'static str, value: impl AsRef<str>) {
        self.toned(name, value, Tone::Plain);
    }

    fn toned(&mut self, name: &'static str, value: impl AsRef<str>, tone: Tone) {
        self.0.push(Fact { name, value: Untrusted::from(value.as_ref()).safe().into_string(), tone });
    }

    fn group(self, title: &'static str) -> Group {
        Group { title, facts: self.0 }
    }
}

/// All groups, in two columns: what it is, and how it is set up.
#[must_use]
pub fn columns(work: &Workspace, clock: Clock) -> [Vec<Group>; 2] {
    [
        vec![target(work, clock), program(work), check(work), process(work)],
        vec![entered(work), resources(work), network(work), mounts(work)],
    ]
    .map(|groups: Vec<Group>| groups.into_iter().filter(|group| !group.facts.is_empty()).collect())
}

/// Rows the page needs: headings, facts, and a free row between groups.
#[must_use]
pub fn rows(work: &Workspace, clock: Clock, wide: bool) -> usize {
    let height = |groups: &Vec<Group>| groups.iter().map(|group| group.facts.len() + 2).sum::<usize>();
    let [left, right] = columns(work, clock);
    let (left, right) = (height(&left), height(&right));
    if wide { left.max(right) } else { left + right }.saturating_sub(1)
}

/// The page as text.
#[must_use]
pub fn text(work: &Workspace, clock: Clock) -> Vec<String> {
    let mut out = Vec::new();
    for group in columns(work, clock).into_iter().flatten() {
        out.push(group.title.to_owned());
        out.extend(group.facts.into_iter().map(|fact| format!("  {:<12} {}", fact.name, fact.value)));
    }
    out
}

fn age(clock: Clock, time: Option<std::time::SystemTime>) -> Option<Duration> {
    clock.wall.duration_since(time?).ok()
}

fn target(work: &Workspace, clock: Clock) -> Group {
    let mut facts = Facts(Vec::new());
    facts.add("name", work.title());
    let state = work.state_word();
    let tone = match work.connection {
        Connection::Live => Tone::Good,
        Connection::Opening | Connection::Reconnecting { .. } => Tone::Warn,
        _ => Tone::Bad,
    };
    let container = work.target.as_ref().and_then(Target::container);
    match (&work.target, container) {
        (_, Some(container)) => {
            facts.add("id", container.id.get(..12).unwrap_or(&container.id));
            facts.add("image", &container.image);
            let up = age(clock, container.started).filter(|_| alive(container.state));
            let up = up.map_or_else(String::new, |up| format!(" for {}", words::span(up)));
            facts.toned("state", format!("{}{up}", state.to_lowercase()), tone);
            if let Some(ended) = age(clock, container.finished).filter(|_| !alive(container.state)) {
                facts.add("ended", format!("{} ago", words::span(ended)));
            }
            if container.oom_killed {
                facts.toned("killed", "by the kernel, for want of memory", Tone::Bad);
            }
            if container.restarts > 0 {
                facts.toned("restarts", container.restarts.to_string(), Tone::Warn);
            }
            if let Some(health) = &container.health {
                let tone = if health == "unhealthy" { Tone::Bad } else { Tone::Plain };
                facts.toned("health", health, tone);
            }
            facts.add("command", container.command.join(" "));
            let user = if container.user.is_empty() { "root (the image names none)" } else { &container.user };
            facts.add("user", user);
            if let Some(pid) = container.pid {
                facts.add("host pid", pid.to_string());
            }
            if let Some(Target::Pod(pod)) = &work.target {
                facts.add("node", pod.node.as_deref().unwrap_or("none yet"));
            }
        }
        (Some(Target::Node(node)), None) => {
            facts.add("id", node.listed.id.get(..12).unwrap_or(&node.listed.id));
            facts.add("pod", format!("{}/{}", node.listed.namespace, node.listed.pod));
            facts.add("image", &node.listed.image);
            let up = age(clock, node.started).map_or_else(String::new, |up| format!(" for {}", words::span(up)));
            facts.toned("state", format!("{}{up}", state.to_lowercase()), tone);
            facts.add("host pid", node.pid.to_string());
        }
        (Some(Target::Process(pid)), None) => {
            facts.toned("state", state.to_lowercase(), tone);
            facts.add("host pid", pid.to_string());
        }
        _ => facts.toned("state", state.to_lowercase(), tone),
    }
    facts.group("Target")
}

fn program(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    match (&work.program.shown, &work.program.error) {
        (Some(program), _) => {
            if let Some(kind) = &program.kind {
                facts.add("kind", kind);
            }
            if let Some(go) = &program.go {
                facts.add("go", go);
            }
            if let Some(module) = &program.module {
                facts.add("module", module);
            }
            for (name, value) in &program.facts {
                facts.add("", format!("{name} {value}"));
            }
        }
        (None, Some(error)) => facts.toned("program", &error.message, Tone::Warn),
        (None, None) => {}
    }
    facts.group("Program")
}

/// What `check` finds, in short: the command says what was seen, and what to do.
fn check(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    match (&work.check.shown, &work.check.error) {
        (Some(checked), _) => {
            let tone = match (checked.failures, checked.warnings) {
                (0, 0) => Tone::Good,
                (0, _) => Tone::Warn,
                _ => Tone::Bad,
            };
            let found = [words::count(checked.failures, "failure"), words::count(checked.warnings, "warning")];
            facts.toned("found", found.join(", "), tone);
            for (is_failure, about, message) in &checked.worst {
                facts.toned(about, message, if *is_failure { Tone::Bad } else { Tone::Warn });
            }
            if !checked.worst.is_empty() {
                facts.add("", format!("more with: scratchdbg check {}", work.name));
            }
        }
        (None, Some(error)) => facts.toned("not known", &error.message, Tone::Warn),
        (None, None) => {}
    }
    facts.group("Check")
}

fn process(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    if let Some(detail) = &work.init.shown {
        first_process(&mut facts, detail);
    } else if let Some(error) = &work.init.error {
        facts.toned("process", &error.message, Tone::Warn);
    }
    facts.group("First process")
}

fn first_process(facts: &mut Facts, detail: &Detail) {
    let process = &detail.process;
    facts.add("pid", format!("{} inside", process.pid));
    facts.add("state", procs::state(process.state));
    facts.add("runs as", procs::user(process));
    match &detail.exe {
        Part::Ok(exe) => facts.add("file", exe.lossy()),
        Part::Unavailable(why) => facts.toned("file", why, Tone::Warn),
    }
    if let Part::Ok(cwd) = &detail.cwd {
        facts.add("directory", cwd.lossy());
    }
    if let Part::Ok(sets) = &detail.capabilities {
        let effective = sets.iter().find(|set| set.set == "effective");
        let names = effective.map(|set| set.names.join(" ")).filter(|names| !names.is_empty());
        facts.add("may", names.as_deref().unwrap_or("no capabilities"));
    }
    if let Part::Ok(fields) = &detail.security {
        for field in fields {
            facts.add("", format!("{} {}", field.name, field.value.lossy()));
        }
    }
}

fn entered(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    match &work.session {
        Some(session) => {
            let namespaces = session.namespaces.join(" ");
            facts.add("namespaces", if namespaces.is_empty() { "none: it shares ours" } else { &namespaces });
            facts.add("looks as", &session.identity);
            facts.add("door", &session.door);
        }
        None => {
            if let Some(trouble) = work.trouble() {
                facts.toned("not entered", trouble, Tone::Warn);
            }
        }
    }
    if let Connection::Refused(failure) = &work.connection
        && let Some(hint) = &failure.hint
    {
        facts.toned("try", hint, Tone::Warn);
    }
    facts.group("Entered")
}

fn resources(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    if let Some(container) = work.target.as_ref().and_then(Target::container) {
        let root = match (container.read_only, container.privileged) {
            (true, _) => ("read-only", Tone::Good),
            (false, _) => ("can be written", Tone::Plain),
        };
        facts.toned("root files", root.0, root.1);
        if container.privileged {
            facts.toned("privileged", "yes: it may do everything on this host", Tone::Warn);
        }
        let limit = container.memory_limit.map_or_else(|| "unlimited".to_owned(), words::bytes);
        facts.add("memory", limit);
        facts.add("log", &container.log_driver);
    }
    if let Some(Part::Ok(limits)) = work.init.shown.as_ref().map(|detail| &detail.limits) {
        for limit in limits {
            let (Some(used), soft) = (limit.used, limit.soft) else { continue };
            let near = soft.is_some_and(|soft| used > 0 && used.saturating_mul(10) >= soft.saturating_mul(9));
            // The one that servers run into; others only when they are near.
            if !near && limit.name != "Max open files" {
                continue;
            }
            let soft = soft.map_or_else(|| "unlimited".to_owned(), |soft| soft.to_string());
            let tone = if near { Tone::Bad } else { Tone::Plain };
            facts.toned("limit", format!("{}: {used} of {soft}", limit.name), tone);
        }
    }
    facts.group("Limits")
}

fn network(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    if let Some(container) = work.target.as_ref().and_then(Target::container) {
        facts.add("mode", &container.network_mode);
        for port in &container.ports {
            let inside = format!("{}/{}", port.container_port, port.protocol);
            match port.host_port {
                Some(outside) => {
                    facts.add("port", format!("{}:{outside} → {inside}", port.host_ip.as_deref().unwrap_or("*")));
                }
                None => facts.add("port", format!("{inside}, not published")),
            }
        }
    }
    facts.group("Network")
}

fn mounts(work: &Workspace) -> Group {
    let mut facts = Facts(Vec::new());
    if let Some(container) = work.target.as_ref().and_then(Target::container) {
        for mount in &container.mounts {
            let way = if mount.read_write { "rw" } else { "ro" };
            facts.add("mount", format!("{} {way} {} {}", mount.destination, mount.kind, mount.source));
        }
    }
    facts.group("Mounts")
}
