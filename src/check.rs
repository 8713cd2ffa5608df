//! Why a program fails in an image that has little else in it: one report of findings, each with what was seen and with
//! what to do about it.
//!
//! What is there is read in one place (`gather`), from a running target or from an image. Each check is a function from these
//! facts to findings, which reads nothing.

pub mod certificates;
mod debug;
mod elf;
mod exposure;
pub mod facts;
pub mod finding;
pub mod gather;
mod lifetime;
mod limits;
mod names;
pub mod symbols;
mod tls;
mod users;
mod zones;

pub use facts::Facts;
pub use finding::{Evidence, Finding, Group, Status};

/// All findings: groups with the worst of them first, and so within a group.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let checks = [
        elf::check,
        tls::check,
        zones::check,
        users::check,
        names::check,
        limits::check,
        debug::check,
        lifetime::check,
        exposure::check,
    ];
    let mut all: Vec<Finding> = checks.into_iter().flat_map(|check| check(facts)).collect();
    let worst = |group: Group, all: &[Finding]| all.iter().filter(|one| one.group == group).map(|one| one.status).max();
    let order: std::collections::HashMap<Group, Option<Status>> =
        Group::ALL.into_iter().map(|group| (group, worst(group, &all))).collect();
    // Sorting keeps the order of those that are alike.
    all.sort_by_key(|one| {
        (std::cmp::Reverse(order.get(&one.group).copied().flatten()), one.group, std::cmp::Reverse(one.status))
    });
    all
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
