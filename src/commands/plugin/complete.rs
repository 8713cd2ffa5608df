//! What could be typed next, as kubectl asks it of a plugin: the words so far, the last of them unfinished; an answer a line, and at
//! the end a line that says that names of files are none (kubernetes/kubernetes PR 105867).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use clap::CommandFactory as _;

use crate::activity::Journal;
use crate::cli::Cli;
use crate::commands::{output, runtime};
use crate::engine::kube::{Cluster, Options, list};
use crate::exit::Failure;
use crate::text;

/// How long the cluster may take: somebody waits at a prompt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Answers at most.
const MOST: usize = 1000;
/// Tells the shell not to offer names of files (`ShellCompDirectiveNoFileComp` of cobra).
const NO_FILES: &str = ":4";

/// Commands that take no target.
const WITHOUT_TARGET: [&str; 9] =
    ["list", "list-containers", "clean", "doctor", "completions", "man", "keys", "kube", "image"];

/// Labels that controllers give their pods, and nobody types.
const OF_CONTROLLERS: [&str; 6] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
];

/// What is wanted next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// A command, or a pod for the screen.
    Command,
    /// A pod, with what follows its name.
    Pod(&'static str),
    /// A container of the pod that was named, if one was.
    Container(Option<String>),
    /// Labels of pods.
    Labels,
    /// An option of a command, or of all.
    Option(Option<String>),
    /// Nothing that is known here.
    Nothing,
}

/// Prints what could be typed next.
pub(super) fn run(words: &[OsString]) -> Result<(), Failure> {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (last, before) = words.split_last().map_or(("", &words[..]), |(last, before)| (last.as_str(), before));
    let mut out = String::new();
    for (value, about) in candidates(&next(before, last), &options(before)) {
        if value.starts_with(last) {
            out.push_str(&text::escape(value.as_bytes()));
            if !about.is_empty() {
                out.push('\t');
                out.push_str(&text::escape(about.as_bytes()));
            }
            out.push('\n');
        }
    }
    out.push_str(NO_FILES);
    out.push('\n');
    std::io::stdout().lock().write_all(out.as_bytes()).map_err(|error| output::failure(&error))
}

/// Options that take a value, of those that matter here.
fn value_of<'w>(words: &'w [String], names: &[&str]) -> Option<&'w str> {
    let mut values = words.iter().enumerate().filter_map(|(at, word)| {
        if names.contains(&word.as_str()) {
            return words.get(at + 1).map(String::as_str);
        }
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then_some(value)
    });
    values.next_back()
}

fn options(words: &[String]) -> Options {
    let owned = |names: &[&str]| value_of(words, names).map(str::to_owned);
    Options {
        namespace: owned(&["-n", "--namespace"]),
        context: owned(&["--context"]),
        kubeconfig: value_of(words, &["--kubeconfig"]).map(Into::into),
        ..Options::default()
    }
}

fn next(before: &[String], last: &str) -> Next {
    let command = Cli::command();
    let takes_value = |word: &str, subcommand: Option<&&str>| {
        // `ls -l` is another -l than that of `ps`.
        let of = subcommand.and_then(|name| command.find_subcommand(name));
        let all = command.get_arguments().chain(of.into_iter().flat_map(clap::Command::get_arguments));
        let named = all.filter(|one| {
            let long = word.strip_prefix("--").is_some_and(|name| one.get_long() == Some(name));
            let short = word.strip_prefix('-').filter(|name| name.chars().count() == 1);
            long || short.is_some_and(|name| one.get_short() == name.chars().next())
        });
        named.into_iter().any(|one| one.get_action().takes_values() && !one.is_require_equals_set())
    };
    let mut plain: Vec<&str> = Vec::new();
    let mut is_value = false;
    for word in before {
        if std::mem::take(&mut is_value) {
            continue;
        }
        if word.starts_with('-') {
            is_value = takes_value(word, plain.first());
        } else {
            plain.push(word);
        }
    }
    let subcommand = plain.first().filter(|name| command.find_subcommand(name).is_some());
    let target = if subcommand.is_some() { plain.get(1) } else { plain.first() };
    if is_value {
        return match before.last().map(String::as_str) {
            Some("-c" | "--container") => Next::Container(target.map(|name| (*name).to_owned())),
            Some("-l" | "--selector") => Next::Labels,
            _ => Next::Nothing,
        };
    }
    if last.starts_with('-') {
        return Next::Option(subcommand.map(|name| (*name).to_owned()));
    }
    // Labels stand in the place of a target.
    if before.iter().any(|word| ["-l", "--selector"].contains(&word.as_str()) || word.starts_with("--selector="))
        && subcommand.is_none_or(|name| *name != "ls")
    {
        return Next::Nothing;
    }
    match (subcommand, target) {
        (None, None) => Next::Command,
        (Some(&("ls" | "cat" | "cp")), None) => Next::Pod(":/"),
        (Some(name), None) if !WITHOUT_TARGET.contains(name) => Next::Pod(""),
        _ => Next::Nothing,
    }
}

fn candidates(next: &Next, options: &Options) -> Vec<(String, String)> {
    let command = Cli::command();
    let about = |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    match next {
        Next::Nothing => Vec::new(),
        Next::Command => {
            let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
            let commands = shown.map(|one| (one.get_name().to_owned(), about(one.get_about())));
            commands.chain(pods(options, "")).collect()
        }
        Next::Option(name) => {
            let of = name.as_ref().and_then(|name| command.find_subcommand(name));
            let all = of.into_iter().flat_map(clap::Command::get_arguments).chain(command.get_arguments());
            let shown = all.filter(|one| !one.is_hide_set());
            shown.filter_map(|one| Some((format!("--{}", one.get_long()?), about(one.get_help())))).collect()
        }
        Next::Pod(behind) => pods(options, behind),
        Next::Labels => labels(&rows(options)),
        Next::Container(pod) => {
            let name = pod.as_deref().map(|pod| pod.split_once('/').map_or(pod, |(_, name)| name));
            let rows = rows(options).into_iter().filter(|row| name.is_none_or(|name| row.pod == name));
            let mut names: Vec<_> = rows.map(|row| (row.container, row.image)).collect();
            names.sort();
            names.dedup();
            names
        }
    }
}

/// Pods, each with what it does.
fn pods(options: &Options, behind: &str) -> Vec<(String, String)> {
    let mut pods: Vec<(String, String)> =
        rows(options).into_iter().map(|row| (format!("{}{behind}", row.pod), row.state.to_string())).collect();
    pods.dedup_by(|next, one| next.0 == one.0);
    pods
}

/// Labels as a selector has them, each with how many pods have it. Those that a controller gives to tell its pods apart are left out.
fn labels(rows: &[list::Row]) -> Vec<(String, String)> {
    let mut pods: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        let told = row.labels.iter().filter(|(key, _)| !OF_CONTROLLERS.contains(&key.as_str()));
        for (key, value) in told {
            pods.entry(format!("{key}={value}")).or_default().insert(&row.pod);
        }
    }
    pods.into_iter().map(|(label, pods)| (label, format!("pods: {}", pods.len()))).collect()
}

/// The containers of a namespace. None, if the cluster does not tell in time.
fn rows(options: &Options) -> Vec<list::Row> {
    let Ok(runtime) = runtime(false) else { return Vec::new() };
    let asking = async {
        let cluster = Cluster::connect(options, &Journal::default()).await?;
        cluster.list(false, None).await
    };
    let asked = runtime.block_on(async { tokio::time::timeout(PATIENCE, asking).await });
    let mut rows = asked.ok().and_then(Result::ok).unwrap_or_default();
    rows.truncate(MOST);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Next {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (last, before) = words.split_last().unwrap();
        next(before, last)
    }

    #[test]
    fn what_is_wanted_next() {
        for (line, wanted) in [
            ("", Next::Command),
            ("p", Next::Command),
            ("-n prod ", Next::Command),
            ("ps ", Next::Pod("")),
            ("ps -n prod we", Next::Pod("")),
            ("ps --json we", Next::Pod("")),
            ("ps --namespace=prod we", Next::Pod("")),
            ("cat we", Next::Pod(":/")),
            ("ps web ", Next::Nothing),
            ("forward -n prod we", Next::Pod("")),
            ("forward web 80", Next::Nothing),
            ("list ", Next::Nothing),
            ("ps web -c ", Next::Container(Some("web".into()))),
            ("web -c a", Next::Container(Some("web".into()))),
            ("-n ", Next::Nothing),
            ("ps -l ", Next::Labels),
            ("goroutines --selector app", Next::Labels),
            ("ps -l app=web ", Next::Nothing),
            ("ls -l we", Next::Pod(":/")),
            ("logs --t", Next::Option(Some("logs".into()))),
            ("--n", Next::Option(None)),
        ] {
            assert_eq!(of(line), wanted, "{line:?}");
        }
    }

    #[test]
    fn commands_and_options_are_those_of_the_definitions() {
        let nowhere = Options { kubeconfig: Some("/nonexistent".into()), ..Options::default() };
        let names = |next| candidates(&next, &nowhere).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let commands = names(Next::Command);
        assert!(commands.iter().any(|one| one == "goroutines") && !commands.iter().any(|one| one == "beside"));
        let options = names(Next::Option(Some("logs".into())));
        assert!(options.iter().any(|one| one == "--previous") && options.iter().any(|one| one == "--namespace"));
        assert!(names(Next::Option(Some("check".into()))).iter().any(|one| one == "--copy"));
    }

    #[test]
    fn labels_with_how_many_have_them() {
        let row = |pod: &str, container: &str, labels: &[(&str, &str)]| list::Row {
            namespace: "shop".into(),
            pod: pod.into(),
            container: container.into(),
            image: String::new(),
            state: crate::engine::State::Running,
            status: String::new(),
            ready: true,
            restarts: 0,
            node: None,
            started: None,
            created: None,
            last: None,
            message: String::new(),
            leaving: false,
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        let web = [("app", "web"), ("pod-template-hash", "7d9f")];
        let rows =
            [row("a", "app", &web), row("a", "proxy", &web), row("b", "app", &web), row("c", "db", &[("app", "db")])];
        let told = |label: &str, pods: &str| (label.to_owned(), pods.to_owned());
        assert_eq!(labels(&rows), [told("app=db", "pods: 1"), told("app=web", "pods: 2")]);
    }

    #[test]
    fn where_to_ask() {
        let words: Vec<String> = "ps -n a --namespace=b --context c".split(' ').map(str::to_owned).collect();
        let options = options(&words);
        assert_eq!((options.namespace.as_deref(), options.context.as_deref()), (Some("b"), Some("c")));
    }
}
