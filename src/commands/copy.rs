//! `--copy`: a copy of a pod is looked at, in which its program does not run.

use std::fmt::Write as _;

use super::{Context, question};
use crate::cli::{Check, Command, Cp, Global, KubeCommand, Ps};
use crate::engine::kube::Pod;
use crate::engine::kube::copy::{About, Copied, Copy, HELPERS};
use crate::entry::kube::copy::{self, Prepared};
use crate::entry::{Identity, Via};
use crate::exit::{Exit, Failure};
use crate::target::Target;
use crate::text::Untrusted;

/// Whether the option goes with a command.
///
/// # Errors
/// If it does not.
pub fn suits(command: &Command, global: &Global) -> Result<(), Failure> {
    let wrong = |message: &str| Failure::new(Exit::Usage, message);
    if !global.kube.copy {
        let lonely = global.kube.same_node;
        return if lonely { Err(wrong("--same-node is said of a copy").try_this("add --copy")) } else { Ok(()) };
    }
    let looks = "attach, ps, proc, net, ls, cat, cp, go and check look into a copy";
    match command {
        Command::Kube(KubeCommand::Rbac) => return Ok(()),
        Command::Cp(Cp { write: true, .. }) => {
            return Err(wrong("--copy does not go with --write: what is written would be gone with the copy"));
        }
        Command::Attach { target: None, .. } => {
            return Err(wrong("--copy takes a pod to copy").try_this("name it: pod/NAME"));
        }
        Command::Attach { dry_run: true, .. } => {
            return Err(wrong("--copy does not go with --dry-run")
                .try_this("without it, all is told before anything is made; then it asks"));
        }
        Command::Ps(Ps { fleet, .. }) | Command::Check(Check { fleet, .. }) if fleet.selector.is_some() => {
            return Err(wrong("--copy copies one pod, and -l means many").try_this("name the pod in the place of -l"));
        }
        Command::Attach { .. }
        | Command::Ps(_)
        | Command::Proc { .. }
        | Command::Net { .. }
        | Command::Ls(_)
        | Command::Cat(_)
        | Command::Cp(_)
        | Command::Go(_)
        | Command::Check(_) => {}
        Command::Goroutines(_) | Command::Threads(_) | Command::Core(_) | Command::Dlv(_) => {
            return Err(wrong("this takes a program that runs, and in a copy of a pod (--copy) it does not run")
                .try_this(looks));
        }
        _ => return Err(wrong("--copy is for commands that look into a pod").try_this(looks)),
    }
    if global.via != Via::Auto || global.identity != Identity::Target {
        let refused = "a copy of a pod is looked at through its cluster alone, and as its own user";
        return Err(wrong(refused).try_this("leave out --via and --as"));
    }
    if global.read_only {
        let refused = "--copy makes a pod, and --read-only forbids that";
        return Err(Failure::new(Exit::NotPermitted, refused).try_this("leave out --read-only"));
    }
    Ok(())
}

/// A copy that a person has agreed to.
pub struct Agreed(Prepared);

/// Settles how a target would be copied, and asks. Nothing is made.
///
/// # Errors
/// If it cannot be copied, or the answer is no.
pub async fn agree(context: &Context, target: &Target) -> Result<Agreed, Failure> {
    let Target::Pod(pod) = target else {
        let what = format!("{} is no pod, and only pods are copied", target.name());
        return Err(Failure::new(Exit::Usage, what).try_this("leave out --copy"));
    };
    if pod.copy.is_some() {
        return Ok(Agreed(Prepared::There(pod.clone())));
    }
    let prepared = copy::prepare(context.cluster().await?, pod, context.global.kube.same_node).await?;
    if let Prepared::New(copy) = &prepared {
        let words = words(copy, pod.trouble.as_deref());
        if !context.global.quiet || !context.global.yes {
            eprint!("{words}");
        }
        let would = format!("a copy of pod {}/{} would be made", copy.namespace, copy.of);
        question::ask(context, &would, "Make it?", "no copy was made")?;
    }
    Ok(Agreed(prepared))
}

impl Agreed {
    /// Makes the copy, or takes the one that is there.
    ///
    /// # Errors
    /// If it cannot be made, or does not begin.
    pub async fn take(self, context: &Context) -> Result<Target, Failure> {
        match self.0 {
            Prepared::There(pod) => {
                context.tell(&format!(
                    "pod {}/{} is there, and stays: its program does not run in it",
                    pod.namespace, pod.pod
                ));
                Ok(Target::Pod(pod))
            }
            Prepared::New(copy) => {
                let pod = copy::make(context.cluster().await?, &copy, &context.journal).await?;
                let Copy { namespace, name, of, about, .. } = &*copy;
                context.tell(&format!(
                    "pod {namespace}/{name} was made, a copy of {of} in which its program does not run; {}",
                    how_long(about)
                ));
                Ok(Target::Pod(Box::new(pod)))
            }
        }
    }
}

/// A copy of a target, as it was agreed to.
///
/// # Errors
/// If there is none.
pub async fn of(context: &Context, target: &Target) -> Result<Target, Failure> {
    agree(context, target).await?.take(context).await
}

/// The pod, and what it says of itself, if a target is in a copy. `program` is the one that somebody says it would run.
///
/// # Errors
/// If that is said of what is no copy.
pub fn asked_of<'t>(target: &'t Target, program: Option<&String>) -> Result<Option<(&'t Pod, &'t Copied)>, Failure> {
    let found = match target {
        Target::Pod(pod) => pod.copy.as_ref().map(|copy| (&**pod, copy)),
        _ => None,
    };
    if program.is_some() && found.is_none() {
        let what = format!("--program is said of a copy, and {} is none", target.name());
        return Err(Failure::new(Exit::Usage, what).try_this("--pid chooses one of its processes"));
    }
    Ok(found)
}

fn how_long(about: &About) -> String {
    match about.kept {
        Some(idle) => format!("it runs until nobody has used it for {}", humantime::format_duration(idle)),
        None => "it is deleted with this command".to_owned(),
    }
}

/// What a copy would be, for whoever is asked.
fn words(copy: &Copy, trouble: Option<&str>) -> String {
    let About { image, node, init, others, volumes, requests, ttl, .. } = &copy.about;
    let of_pod = format!("pod {}/{}", copy.namespace, copy.of);
    let mut text = match trouble {
        Some(trouble) => format!("{of_pod}, container {}: {trouble}\n", copy.container),
        None => format!("{of_pod}, container {}\n", copy.container),
    };
    let place = node
        .as_ref()
        .map_or_else(|| "on a node with room for it".to_owned(), |node| format!("on node {node}, past the scheduler"));
    let mut line = |title: &str, words: String| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {title:<9} {words}");
    };
    line("a copy", format!("pod {}/{}, {place}", copy.namespace, copy.name));
    line(
        "with",
        format!("container {} alone ({image}): its files, volumes, variables, user and limits", copy.container),
    );
    line("but", format!("its program does not run: a helper holds its place, from {HELPERS}"));
    let left = [("init containers", init), ("other containers", others)];
    let left = left
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} ({})", names.join(", ")));
    let left: Vec<_> =
        left.chain(["labels".to_owned(), "probes".to_owned(), "hooks".to_owned(), "ports".to_owned()]).collect();
    line("without", left.join(", "));
    if !volumes.is_empty() {
        line("volumes", volumes.join(", "));
    }
    if !requests.is_empty() {
        line("takes", format!("{}, of what the namespace may use", requests.join(", ")));
    }
    let ttl = humantime::format_duration(*ttl);
    line("its end", format!("{}; in any case with {}, or after {ttl}", how_long(&copy.about), copy.of));
    let lines = text.lines().map(|line| Untrusted::from(line).safe().into_string());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn with_which_commands_it_goes() {
        for (line, exit) in [
            ("ps pod/web --copy", None),
            ("--copy check pod/web --same-node", None),
            ("kube rbac --copy", None),
            ("pod/web --copy", None),
            ("ps pod/web --same-node", Some(Exit::Usage)),
            ("goroutines pod/web --copy", Some(Exit::Usage)),
            ("core pod/web -o core --copy", Some(Exit::Usage)),
            ("threads pod/web --copy", Some(Exit::Usage)),
            ("logs pod/web --copy", Some(Exit::Usage)),
            ("cp --write a pod/web:/b --copy", Some(Exit::Usage)),
            ("ps -l app=web --copy", Some(Exit::Usage)),
            ("check -l app=web --copy", Some(Exit::Usage)),
            ("forward pod/web 80 --copy", Some(Exit::Usage)),
            ("ps pod/web --copy --as root", Some(Exit::Usage)),
            ("ps pod/web --copy --via sidecar", Some(Exit::Usage)),
            ("attach --copy", Some(Exit::Usage)),
            ("attach pod/web --dry-run --copy", Some(Exit::Usage)),
            ("ps pod/web --copy --read-only", Some(Exit::NotPermitted)),
        ] {
            let words = std::iter::once("scratchdbg").chain(line.split(' '));
            let (command, global) = Cli::try_parse_from(words).unwrap().wanted().unwrap();
            assert_eq!(suits(&command, &global).err().map(|failure| failure.exit), exit, "{line}");
        }
    }

    #[test]
    fn what_it_would_be_is_told() {
        let about = About {
            image: "acme/shop:1".to_owned(),
            node: None,
            init: vec!["migrate".to_owned()],
            others: Vec::new(),
            volumes: vec!["data (claim web\x1b-data)".to_owned()],
            requests: vec!["cpu 100m".to_owned(), "memory 64Mi".to_owned()],
            ttl: std::time::Duration::from_secs(3600),
            kept: None,
        };
        let copy = Copy {
            namespace: "shop".to_owned(),
            name: "sdbg-copy-web-x7k2p".to_owned(),
            of: "web".to_owned(),
            container: "app".to_owned(),
            about,
            document: serde_json::Value::Null,
        };
        insta::assert_snapshot!(words(&copy, Some("CrashLoopBackOff")));
    }
}
