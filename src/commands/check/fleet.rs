//! `check` of many pods: what all of them lack once, and what only some lack with their names.

use std::collections::HashMap;
use std::io::Write as _;

use serde::Serialize;

use super::{Counts, Program, counts, facts, program, report, verdict};
use crate::check::{self, Facts, Finding, Status};
use crate::cli;
use crate::commands::fleet::{self, Document};
use crate::commands::table::width;
use crate::commands::{Context, output};
use crate::delve;
use crate::exit::Failure;

/// Pods of a finding that are named.
const NAMED: usize = 8;

/// What was found in one pod.
struct Checked {
    facts: Facts,
    findings: Vec<Finding>,
}

/// What one pod says.
#[derive(Serialize)]
struct Answer<'a> {
    program: Program<'a>,
    uid: Option<u32>,
    counts: Counts,
}

/// A finding, and who has it.
#[derive(Debug, Serialize)]
struct Merged<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    pods: Vec<&'a str>,
}

/// What all of them say together.
#[derive(Serialize)]
struct All<'a> {
    /// How many different findings there are of each status.
    counts: Counts,
    /// The worst first.
    findings: Vec<Merged<'a>>,
}

/// Runs the command on all pods that are meant.
///
/// # Errors
/// If there are none, if some gave no answer; with status 1 and without a word if a finding is as bad as was asked for.
pub async fn run(context: &Context, args: &cli::Check) -> Result<(), Failure> {
    let delve = delve::find::find(None).await.ok().map(|found| found.version);
    let access = context.global.access();
    let fleet = fleet::look(context, &args.fleet, &access, async |target, entered| {
        let facts = Facts { delve, ..facts(context, target, entered, args.pid).await? };
        Ok(Checked { findings: check::findings(&facts), facts })
    })
    .await?;
    let each: Vec<_> = fleet.given().map(|(member, one)| (member.called.as_str(), one.findings.as_slice())).collect();
    let all = merged(&each);
    let counts = counts(all.iter().map(|one| one.finding));
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &Document::new(&fleet, answer, All { counts, findings: all }))?;
    } else if !each.is_empty() {
        let what =
            format!("{} pod{} with {}", each.len(), if each.len() == 1 { "" } else { "s" }, fleet.selection.selector);
        let told = all.iter().map(|one| (one.finding, who(&one.pods, each.len())));
        out.extend_from_slice(report(&what, told, counts, width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    fleet.conclude(context)?;
    verdict(fleet.given().flat_map(|(_, one)| &one.findings).map(|finding| finding.status).max(), args.fail_on)
}

fn answer(one: &Checked) -> Answer<'_> {
    Answer { program: program(&one.facts), uid: one.facts.user.uid, counts: counts(&one.findings) }
}

/// The same finding once, the worst first. What is well is so in whatever words.
fn merged<'a>(each: &[(&'a str, &'a [Finding])]) -> Vec<Merged<'a>> {
    let mut all: Vec<Merged<'a>> = Vec::new();
    let mut known = HashMap::new();
    for &(name, findings) in each {
        for finding in findings {
            let words = if finding.status == Status::Ok { "" } else { finding.message.as_str() };
            let number = *known.entry((finding.id, finding.status, words)).or_insert(all.len());
            match all.get_mut(number) {
                // One pod may say the same of several things.
                Some(one) if one.pods.last() == Some(&name) => {}
                Some(one) => one.pods.push(name),
                None => all.push(Merged { finding, pods: vec![name] }),
            }
        }
    }
    let worst = |all: &[Merged], group| {
        all.iter().map(|one| one.finding).filter(|one| one.group == group).map(|one| one.status).max()
    };
    let order: HashMap<_, _> = check::Group::ALL.into_iter().map(|group| (group, worst(&all, group))).collect();
    all.sort_by_key(|Merged { finding, pods }| {
        let group = std::cmp::Reverse(order.get(&finding.group).copied().flatten());
        (group, finding.group, std::cmp::Reverse(finding.status), std::cmp::Reverse(pods.len()))
    });
    all
}

/// Who has it, if not all have.
fn who(pods: &[&str], all: usize) -> Option<String> {
    if pods.len() == all {
        return None;
    }
    let more = if pods.len() > NAMED { ", …" } else { "" };
    let names = pods.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    Some(format!("in {} of {all} pods: {names}{more}", pods.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Group;

    fn finding(id: &'static str, group: Group, status: Status, message: &str) -> Finding {
        Finding { id, group, status, message: message.into(), evidence: Vec::new(), fix: Some("mend it".to_owned()) }
    }

    #[test]
    fn what_all_lack_is_told_once_and_what_some_lack_with_their_names() {
        let of = |files: &str, status: Status| {
            vec![
                finding("tls.roots", Group::Tls, Status::Failure, "no roots are there"),
                finding("limits.files", Group::Limits, status, files),
                finding("zones.database", Group::Zones, Status::Ok, files),
            ]
        };
        let each = [of("9 of 10", Status::Ok), of("8 of 10", Status::Ok), of("10 of 10", Status::Warning)];
        let each: Vec<_> = ["a", "b", "c"].into_iter().zip(each.iter().map(Vec::as_slice)).collect();
        let all = merged(&each);
        let told: Vec<_> = all.iter().map(|one| (one.finding.id, one.finding.status, one.pods.join(" "))).collect();
        assert_eq!(
            told,
            [
                ("tls.roots", Status::Failure, "a b c".to_owned()),
                ("limits.files", Status::Warning, "c".to_owned()),
                ("limits.files", Status::Ok, "a b".to_owned()),
                ("zones.database", Status::Ok, "a b c".to_owned()),
            ]
        );
        let told = all.iter().map(|one| (one.finding, who(&one.pods, 3)));
        insta::assert_snapshot!(report("3 pods with app=web", told, counts(all.iter().map(|one| one.finding)), None));
        assert!(verdict(Some(Status::Warning), cli::FailOn::Failure).is_ok());
        assert!(verdict(Some(Status::Warning), cli::FailOn::Warning).is_err());
    }
}
