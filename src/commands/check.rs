//! `check`: why a program fails in an image that has little else in it.

mod fleet;

use std::io::Write as _;

use serde::Serialize;

use super::table::{fit, width};
use super::{Context, copy, image, output};
use crate::check::facts::{Elf, Facts};
use crate::check::gather;
use crate::check::{self, Finding, Status};
use crate::cli::{self, FailOn};
use crate::debuggee;
use crate::delve;
use crate::engine::Owner;
use crate::entry::Entered;
use crate::exit::{Exit, Failure};
use crate::target::{ContainerPid, NotRunning, Target, TargetName};
use crate::text::Untrusted;

/// Columns before what was found.
const INDENT: usize = 9;

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    target: &'a str,
    /// `container`, `process`, `image`, or `copy` of a pod.
    kind: &'static str,
    /// What is run.
    program: Program<'a>,
    /// As whom it runs; `null` if that is not known.
    uid: Option<u32>,
    /// How many findings there are of each status.
    counts: Counts,
    /// The worst first.
    findings: &'a [Finding],
}

/// What is known of the program.
#[derive(Debug, Serialize)]
struct Program<'a> {
    path: &'a Untrusted,
    /// Bytes of its file.
    size: Option<u64>,
    go_version: Option<&'a Untrusted>,
    /// Whether it needs a loader.
    dynamic: Option<bool>,
    stripped: Option<bool>,
    /// Version of DWARF.
    dwarf: Option<u16>,
    /// Functions that are linked into it, of those that say what it needs.
    linked: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Counts {
    failure: usize,
    warning: usize,
    unknown: usize,
    ok: usize,
}

/// Runs the command.
///
/// # Errors
/// If the target cannot be read; with status 1 and without a word if a finding is as bad as was asked for.
pub async fn run(context: &Context, args: &cli::Check) -> Result<(), Failure> {
    let Some(target) = &args.target else { return fleet::run(context, args).await };
    let (name, kind, mut facts) = read(context, target, args).await?;
    facts.delve = delve::find::find(None).await.ok().map(|found| found.version);
    let findings = check::findings(&facts);
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &document(&name, kind, &facts, &findings))?;
    } else {
        out.extend_from_slice(text(&name, &findings, width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    verdict(findings.iter().map(|finding| finding.status).max(), args.fail_on)
}

/// How it ends with what is worst.
fn verdict(worst: Option<Status>, fail_on: FailOn) -> Result<(), Failure> {
    let worst = worst.unwrap_or(Status::Ok);
    let is_no = match fail_on {
        FailOn::Warning => worst >= Status::Warning,
        FailOn::Failure => worst >= Status::Failure,
        FailOn::Never => false,
    };
    // Everything has been said before.
    if is_no { Err(Failure::new(Exit::No, "")) } else { Ok(()) }
}

async fn read(
    context: &Context,
    name: &TargetName,
    args: &cli::Check,
) -> Result<(String, &'static str, Facts), Failure> {
    if let TargetName::Image(image) = name {
        if args.pid.is_some() {
            return Err(NotRunning(name.clone()).into());
        }
        let (image, machine) = image::open(context, image).await?;
        return Ok((name.to_string(), "image", gather::of_image(&image, machine).await));
    }
    let (target, entered) = match context.enter(name).await {
        Ok(entered) => entered,
        Err(failure) => return Err(with_image(context, name, failure).await),
    };
    if let Some((pod, copy)) = copy::asked_of(&target, args.program.as_ref())? {
        let facts = gather::of_copy(&entered.shim, pod, copy, entered.init, args.program.as_deref()).await?;
        return Ok((target.name(), "copy", facts));
    }
    let facts = facts(context, &target, &entered, args.pid).await?;
    let kind = if target.container().is_some() { "container" } else { "process" };
    Ok((target.name(), kind, facts))
}

/// What is read of a target that was entered.
async fn facts(
    context: &Context,
    target: &Target,
    entered: &Entered,
    asked: Option<ContainerPid>,
) -> Result<Facts, Failure> {
    let (pid, _) = debuggee::choose(&entered.shim, target, entered.init, asked).await?;
    let pid = if asked.is_some() { pid } else { gather::behind_init(&entered.shim, pid).await };
    let owner = context.owner(target).await?;
    let engine = owner.as_ref().and_then(Owner::engine);
    gather::of_target(&entered.shim, target, engine, pid).await
}

/// What does not run may not run for the very reason that its image tells.
async fn with_image(context: &Context, name: &TargetName, failure: Failure) -> Failure {
    match context.find(name).await {
        Ok(Target::Container(container)) if failure.exit == Exit::NoTarget && container.pid.is_none() => {
            let hint = format!("or check its image: scratchdbg check image://{}", container.image);
            let both = failure.hint.iter().cloned().chain([hint]).collect::<Vec<_>>().join("\n");
            failure.try_this(both)
        }
        _ => failure,
    }
}

fn counts<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Counts {
    let mut counts = Counts::default();
    for finding in findings {
        match finding.status {
            Status::Ok => counts.ok += 1,
            Status::Unknown => counts.unknown += 1,
            Status::Warning => counts.warning += 1,
            Status::Failure => counts.failure += 1,
        }
    }
    counts
}

fn document<'a>(target: &'a str, kind: &'static str, facts: &'a Facts, findings: &'a [Finding]) -> Document<'a> {
    Document { target, kind, program: program(facts), uid: facts.user.uid, counts: counts(findings), findings }
}

/// What is told of the program.
fn program(facts: &Facts) -> Program<'_> {
    let elf = facts.elf();
    let of = |field: fn(&Elf) -> bool| elf.map(field);
    Program {
        path: &facts.program.path,
        size: facts.program.seen.file().map(|file| file.size),
        go_version: elf.and_then(|elf| elf.go.as_ref()).map(|info| &info.go_version),
        dynamic: of(|elf| elf.linkage.interpreter.is_some() || !elf.linkage.needed.is_empty()),
        stripped: of(|elf| elf.stripped),
        dwarf: elf.and_then(|elf| elf.dwarf),
        linked: elf.into_iter().flat_map(|elf| elf.linked.all()).collect(),
    }
}

/// The report for a person: what is well in a line each, the rest with what was seen and what to do.
fn text(target: &str, findings: &[Finding], width: Option<usize>) -> String {
    report(target, findings.iter().map(|finding| (finding, None)), counts(findings), width)
}

/// The same, where something can be told behind each finding that is not well: who has it.
fn report<'f>(
    target: &str,
    findings: impl Iterator<Item = (&'f Finding, Option<String>)>,
    counts: Counts,
    width: Option<usize>,
) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        let text = Untrusted::from(text).safe();
        let text = match width {
            // What is to be pasted is never cut.
            Some(width) if indent == 0 || !text.as_str().starts_with("fix: ") => {
                fit(text.as_str(), width.saturating_sub(indent).max(20))
            }
            _ => text.into_string(),
        };
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(&text);
        out.push('\n');
    };
    let mut group = None;
    for (finding, who) in findings {
        if group != Some(finding.group) {
            if group.is_some() {
                line(0, "");
            }
            line(0, &finding.group.to_string().to_uppercase());
            group = Some(finding.group);
        }
        line(0, &format!("{:<width$}{}", finding.status.to_string(), finding.message, width = INDENT));
        if let Some(who) = who {
            line(INDENT, &who);
        }
        if matches!(finding.status, Status::Ok) {
            continue;
        }
        for evidence in &finding.evidence {
            let bytes = evidence.bytes.map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
            line(INDENT, &format!("{} {}{bytes}", evidence.kind, evidence.value.safe()));
        }
        for (number, fix) in finding.fix.iter().flat_map(|fix| fix.lines()).enumerate() {
            let label = if number == 0 { "fix: " } else { "     " };
            line(INDENT, &format!("{label}{fix}"));
        }
    }
    let of = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    line(0, "");
    let failures = of(counts.failure, "failure");
    let warnings = of(counts.warning, "warning");
    line(0, &format!("{target}: {failures}, {warnings}, {} not known, {} ok", counts.unknown, counts.ok));
    out
}
