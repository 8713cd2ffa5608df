//! Pods that gave no answer: those with the same reason together, and what that means for the end.

use super::{Fleet, Member, pods};
use crate::commands::Context;
use crate::exit::{Exit, Failure};

/// Reasons that are told; the document of `--json` has them all.
const TOLD: usize = 20;
/// Pods of a reason that are named.
const NAMED: usize = 8;

impl<T> Fleet<T> {
    /// Tells who gave no answer and why, and who is over.
    ///
    /// # Errors
    /// If somebody gave none: with the status that all reasons have in common where nobody gave one, else with 1.
    pub fn conclude(&self, context: &Context) -> Result<(), Failure> {
        if !self.over.is_empty() {
            let names = named(self.over.iter().map(|one| one.called.as_str()));
            context.tell(&format!("{} over, and left out: {names}", are(self.over.len())));
        }
        let failed = || self.answers.iter().filter_map(|one| Some((&one.member, one.found.as_ref().err()?)));
        let reasons = reasons(failed());
        for reason in reasons.iter().take(TOLD) {
            // Errors: they are told under --quiet, too.
            eprintln!("{reason}");
        }
        if reasons.len() > TOLD {
            eprintln!("{} more reasons: --json has them all", reasons.len() - TOLD);
        }
        verdict(self.answers.len(), &failed().map(|(_, failure)| failure.exit).collect::<Vec<_>>())
    }
}

fn are(count: usize) -> String {
    format!("{} {}", pods(count), if count == 1 { "is" } else { "are" })
}

/// How the whole ends.
fn verdict(all: usize, failed: &[Exit]) -> Result<(), Failure> {
    let Some(first) = failed.first() else { return Ok(()) };
    let answered = all - failed.len();
    if answered > 0 {
        return Err(Failure::new(Exit::No, format!("{answered} of {} answered", pods(all))));
    }
    let exit = if failed.iter().all(|one| one == first) { *first } else { Exit::No };
    let what =
        if all == 1 { "the only pod gave no answer".to_owned() } else { format!("none of {} answered", pods(all)) };
    Err(Failure::new(exit, what))
}

/// Each reason once, with who has it: the one that most have first.
fn reasons<'a>(failed: impl Iterator<Item = (&'a Member, &'a Failure)>) -> Vec<Failure> {
    let mut same: Vec<(Failure, Vec<(&Member, &Failure)>)> = Vec::new();
    for (member, failure) in failed {
        let without = of_any(member, failure);
        match same.iter_mut().find(|(known, _)| *known == without) {
            Some((_, all)) => all.push((member, failure)),
            None => same.push((without, vec![(member, failure)])),
        }
    }
    same.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    let told = same.into_iter().map(|(without, all)| match all.as_slice() {
        [(member, failure)] => (*failure).clone().on(&member.called),
        all => {
            without.on(format!("{} ({})", pods(all.len()), named(all.iter().map(|(member, _)| member.called.as_str()))))
        }
    });
    told.collect()
}

/// The first names.
fn named<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text = format!("{text} and {more} more");
    }
    text
}

/// A failure as it would be of any pod: without this one's name.
fn of_any(member: &Member, failure: &Failure) -> Failure {
    let Member { namespace, pod, .. } = member;
    let names = [
        (format!("{namespace}/{pod}"), "POD".to_owned()),
        (format!("pod/{pod}"), "POD".to_owned()),
        (format!("\"{pod}\""), "\"POD\"".to_owned()),
    ];
    let without = |text: &str| names.iter().fold(text.to_owned(), |text, (name, any)| text.replace(name, any));
    Failure { message: without(&failure.message), hint: failure.hint.as_deref().map(without), exit: failure.exit }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(pod: &str) -> Member {
        Member { namespace: "shop".into(), pod: pod.into(), container: None, node: None, called: pod.into() }
    }

    #[test]
    fn the_same_reason_is_told_once() {
        let names: Vec<String> = (1..=12).map(|number| format!("web-{number}")).collect();
        let stuck = |pod: &str| {
            Failure::new(Exit::No, format!("sdbg-app-1 cannot start in pod shop/{pod}: ErrImagePull"))
                .try_this("push it")
        };
        let mut all: Vec<_> = names.iter().skip(1).map(|name| (member(name), stuck(name))).collect();
        all.insert(
            3,
            (member("web-1"), Failure::new(Exit::NoTarget, "shop/web-1/app does not run").try_this("x web-1")),
        );
        let told = reasons(all.iter().map(|(member, failure)| (member, failure)));
        let texts: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "11 pods (web-2, web-3, web-4, web-5, web-6, web-7, web-8, web-9 and 3 more): \
                 sdbg-app-1 cannot start in pod POD: ErrImagePull\n  push it",
                "web-1: shop/web-1/app does not run\n  x web-1",
            ]
        );
    }

    #[test]
    fn the_end_is_that_of_most_common_sense() {
        let of = |all, failed: &[Exit]| verdict(all, failed).err().map(|failure| (failure.exit, failure.message));
        assert_eq!(of(3, &[]), None);
        assert_eq!(of(20, &[Exit::NotPermitted; 3]), Some((Exit::No, "17 of 20 pods answered".to_owned())));
        let none = "none of 2 pods answered".to_owned();
        assert_eq!(of(2, &[Exit::NotPermitted; 2]), Some((Exit::NotPermitted, none.clone())));
        assert_eq!(of(2, &[Exit::NotPermitted, Exit::NoTarget]), Some((Exit::No, none)));
        assert_eq!(of(1, &[Exit::NoTarget]), Some((Exit::NoTarget, "the only pod gave no answer".to_owned())));
    }
}
