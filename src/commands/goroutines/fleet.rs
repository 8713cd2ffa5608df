//! Goroutines of many pods: those with the same stack together, whichever pod they are in, and how many each pod has.

mod builds;
mod document;

use std::cell::RefCell;
use std::io::{self, Write};

use self::builds::Build;
use super::{Program, grouped};
use crate::cli::{GoroutineFormat, Goroutines};
use crate::commands::fleet::{self, Fleet, spread};
use crate::commands::{Context, output};
use crate::entry::Access;
use crate::exit::{Exit, Failure};
use crate::goroutines::filter::Filter;
use crate::goroutines::group::groups;
use crate::goroutines::merge::Merge;
use crate::goroutines::{Figures, Tally, folded};
use crate::inspect::files::human_size;

/// What is known of one pod, beside its goroutines, which are among all.
struct OfPod {
    /// Its number among those that were merged.
    number: usize,
    program: Program,
    build: Build,
    tally: Tally,
    figures: Figures,
    took: std::time::Duration,
}

/// Runs the command on all pods that are meant.
///
/// # Errors
/// If there are none, or some gave no answer.
pub async fn run(context: &Context, args: &Goroutines) -> Result<(), Failure> {
    if args.format == GoroutineFormat::Panic {
        let what = "goroutines of several programs cannot be written as one that panics writes its own";
        return Err(Failure::new(Exit::Usage, what).try_this("name one pod; or leave out --format"));
    }
    let access = Access { memory: true, ..context.global.access() };
    let merge = RefCell::new((Merge::default(), 0));
    let fleet = fleet::look(context, &args.fleet, &access, async |target, entered| {
        let (mut session, program, info) = super::open(context, target, entered, args.pid).await?;
        let dump = session.read().await?;
        let mut all = merge.borrow_mut();
        let (merge, next) = &mut *all;
        merge.add(*next, &dump);
        *next += 1;
        let build = Build::of(&info, target.container());
        Ok(OfPod { number: *next - 1, program, build, tally: dump.tally, figures: dump.figures, took: dump.took })
    })
    .await?;
    let (merge, _) = merge.into_inner();
    if fleet.given().next().is_some() || context.global.json {
        super::tell(context, &merge.dump().tally);
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out, context.global.json, &fleet, &merge, &super::filter(args), args)?;
        out.flush().map_err(|error| output::failure(&error))?;
    }
    fleet.conclude(context)
}

fn write(
    out: &mut dyn Write,
    json: bool,
    fleet: &Fleet<OfPod>,
    merge: &Merge,
    filter: &Filter,
    args: &Goroutines,
) -> Result<(), Failure> {
    let limit = args.limit.unwrap_or(usize::MAX);
    if json {
        return document::write(out, fleet, merge, filter, limit);
    }
    let written = match args.format {
        GoroutineFormat::Folded => folded::write(out, merge.dump(), filter, args.runtime),
        _ => text(out, fleet, merge, filter, args.runtime, limit),
    };
    written.map_err(|error| output::failure(&error))
}

/// For a person.
fn text(
    out: &mut dyn Write,
    fleet: &Fleet<OfPod>,
    merge: &Merge,
    filter: &Filter,
    all: bool,
    limit: usize,
) -> io::Result<()> {
    let dump = merge.dump();
    let groups = groups(dump, filter);
    let took = dump.took.as_secs_f64() * 1e3;
    let pods = fleet.given().count();
    let read = format!("{pods} pod{}, each read in {took:.1} ms at most", if pods == 1 { "" } else { "s" });
    writeln!(out, "{} ({read})", grouped::counts(dump, filter, &groups))?;
    let in_each: Vec<_> = fleet.given().map(|(member, pod)| (member.called.as_str(), pod.tally.alive)).collect();
    writeln!(out, "goroutines {}{}", spread::words(&in_each), heaps(fleet))?;
    let told: Vec<_> = fleet.given().map(|(member, pod)| (member.called.as_str(), &pod.build)).collect();
    writeln!(out, "{}", builds::words(&told))?;
    // By number: as they came, which is not the order of their names.
    let mut order: Vec<_> = fleet.given().map(|(member, pod)| (member.called.as_str(), pod.number)).collect();
    order.sort_unstable();
    grouped::each(out, &groups, limit, |out, group| {
        grouped::one(out, dump, group, all)?;
        let counts = merge.counts(group, order.len());
        let of = |number: usize| counts.get(number).copied().unwrap_or_default();
        let counts: Vec<_> = order.iter().map(|&(name, number)| (name, of(number))).collect();
        writeln!(out, "    {}", spread::words(&counts))
    })
}

/// How large the heaps are, if that is known.
fn heaps(fleet: &Fleet<OfPod>) -> String {
    let known = || fleet.given().filter_map(|(member, pod)| Some((pod.figures.heap_in_use?, member.called.as_str())));
    let (Some((least, _)), Some((most, name))) = (known().min(), known().max()) else { return String::new() };
    if known().count() == 1 {
        return format!("; heap in use {}", human_size(most));
    }
    format!("; heap in use {} to {}, most in {name}", human_size(least), human_size(most))
}

#[cfg(test)]
mod tests;
