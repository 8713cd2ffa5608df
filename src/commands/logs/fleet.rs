//! The logs of many pods as one: in the order of their times, or, while they are followed, as they come.

mod followed;
mod merged;

use super::shown::Wanted;
use super::sink::{Form, Sink, Speaker};
use super::{forms, of_pods, options, warn};
use crate::cli;
use crate::commands::Context;
use crate::commands::fleet::{self, Member};
use crate::engine::Owner;
use crate::engine::kube::Selection;
use crate::engine::logs::LogOptions;
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;

/// The most logs that are read in one go: each is a connection.
const MOST: usize = 100;
/// Colours of names, each with its bright one (ECMA-48, "SGR").
const COLOURS: [u8; 12] = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

/// What is common to all logs.
struct Reading<'a> {
    context: &'a Context,
    args: &'a cli::Logs,
    owner: Owner,
    selection: Selection,
    options: LogOptions,
    wanted: Wanted,
    /// Columns of the longest name at first.
    width: usize,
}

/// Runs the command on all pods that are meant.
///
/// # Errors
/// If there are none, or the logs of some cannot be had.
pub async fn run(context: &Context, args: &cli::Logs) -> Result<(), Failure> {
    let wanted = Wanted::new(args)?;
    of_pods(args)?;
    if args.follow && args.previous {
        return Err(Failure::new(Exit::Usage, "the log of the run before goes on no more").try_this("leave out -f"));
    }
    // Without times they could not be put in order, and a log that broke off not be taken up again.
    let options = LogOptions { timestamps: true, ..options(args)? };
    let cluster = context.cluster().await?;
    let selection = fleet::selection(context, &args.fleet);
    let all = cluster.select(&selection, MOST).await?;
    warn(context, &wanted);
    let width = all.iter().map(|one| Member::of(one, selection.everywhere).called.len()).max().unwrap_or_default();
    let mut sink = Sink::new(forms(context, Form::Text));
    let owner = Owner::Cluster(cluster.clone());
    let reading = Reading { context, args, owner, selection, options, wanted, width };
    if args.follow {
        followed::run(&reading, cluster, all, &mut sink).await
    } else {
        merged::run(&reading, all, &mut sink).await
    }
}

impl Reading<'_> {
    /// How a pod's lines are marked.
    fn speaker(&self, member: &Member) -> Speaker {
        Speaker {
            namespace: member.namespace.clone(),
            pod: member.pod.clone(),
            container: member.container.clone().unwrap_or_default(),
            prefix: prefix(&member.called, self.width, self.context.color()),
        }
    }
}

/// A name before its lines; always in the same colour.
fn prefix(called: &str, width: usize, colour: bool) -> String {
    let name = Untrusted::from(called).safe();
    let name = format!("{:<width$} |", name.as_str());
    if !colour {
        return format!("{name} ");
    }
    // FNV-1a: what comes first of names of replicas is the same.
    let hash = called
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let number = usize::try_from(hash % COLOURS.len() as u64).unwrap_or_default();
    format!("\x1b[{}m{name}\x1b[0m ", COLOURS.get(number).copied().unwrap_or(36))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_lines() {
        assert_eq!(prefix("web-1", 7, false), "web-1   | ");
        let coloured = prefix("web-1", 0, true);
        assert!(coloured.starts_with("\x1b[") && coloured.ends_with("mweb-1 |\x1b[0m "), "{coloured:?}");
        assert_eq!(coloured, prefix("web-1", 0, true));
        let names: std::collections::HashSet<_> =
            (0..30).map(|at| prefix(&format!("web-{at}"), 0, true)[..5].to_owned()).collect();
        assert!(names.len() > 5, "{names:?}");
    }
}
