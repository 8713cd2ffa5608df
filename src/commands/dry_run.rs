//! `attach --dry-run`: how a target would be entered.

use std::fmt::Write as _;
use std::io::Write as _;

use serde::Serialize;

use super::{Context, output};
use crate::entry::plan::{Capability, Plan};
use crate::entry::{self, Door};
use crate::exit::Failure;
use crate::target::{Target, TargetName};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document {
    target: String,
    /// The first process, as this host numbers it; `null` if it is on another one.
    host_pid: Option<i32>,
    door: Door,
    /// Why this door.
    why: &'static str,
    /// Namespaces that are joined.
    namespaces: Vec<&'static str>,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    /// Capabilities that are kept inside.
    keeps: Vec<String>,
    /// Capabilities that are needed on the way in.
    needs: Vec<String>,
    /// How the files are seen.
    files: &'static str,
    /// What is done, in order.
    steps: Vec<String>,
    /// What undoes it.
    undone_by: &'static str,
}

/// Runs the command.
///
/// # Errors
/// If the target cannot be found, or there is no way in.
pub async fn run(context: &Context, name: &TargetName) -> Result<(), Failure> {
    let (target, owner) = context.find_running(name).await?;
    let access = context.global.access();
    let (door, plan) = entry::plan(context.broker(), owner.as_ref(), &target, &access).await?;
    let document = Document::of(&target, door, &plan, access.via == entry::Via::Auto);
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &document)?;
    } else {
        out = document.text().into_bytes();
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

impl Document {
    fn of(target: &Target, door: Door, plan: &Plan, chosen: bool) -> Self {
        let identity = plan.identity();
        let (steps, undone_by) = match door {
            Door::Local => (local(target, plan), "its end: when the connection closes, the helper ends"),
            Door::Sidecar => {
                (beside(&identity), "its end: when the connection closes, the container ends and is removed")
            }
            Door::Kube if matches!(target, Target::Pod(pod) if pod.copy.is_some()) => {
                (copied(), "its end: the helper ends with the connection; the copy stays for as long as it would")
            }
            Door::Kube => (
                within(&identity),
                "its end: the added container is told to end; its record stays in the pod until that is made anew",
            ),
        };
        Self {
            target: target.name(),
            host_pid: target.init().map(|pid| pid.0),
            door,
            why: match (door, target.init(), chosen) {
                (_, _, false) => "asked for",
                (Door::Local, ..) => "its process is one of this host, and no right is missing",
                (Door::Kube, ..) => "it is a container of a pod",
                (Door::Sidecar, None, _) => "its process is not one of this host",
                (Door::Sidecar, Some(_), _) => "rights are missing to enter from this host",
            },
            namespaces: plan.namespaces(),
            uid: plan.ids.uid,
            gid: plan.ids.gid,
            groups: plan.ids.groups.clone(),
            keeps: Capability::names(plan.keep),
            needs: Capability::names(plan.need),
            files: plan.view(),
            steps,
            undone_by,
        }
    }

    fn text(&self) -> String {
        let pid =
            self.host_pid.map_or_else(|| "not on this host".to_owned(), |pid| format!("process {pid} of this host"));
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
        let mut text = format!(
            "target      {}, {pid}\ndoor        {}: {}\nnamespaces  {}\nlooks as    {}:{}\nkeeps       {}\nneeds       {}\nfiles       {}\n",
            self.target,
            self.door,
            self.why,
            self.namespaces.join(" "),
            self.uid,
            self.gid,
            list(&self.keeps),
            list(&self.needs),
            self.files,
        );
        for (number, step) in (1..).zip(&self.steps) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "step {number:<6} {step}");
        }
        let _ = writeln!(text, "undone by   {}", self.undone_by);
        text
    }
}

fn local(target: &Target, plan: &Plan) -> Vec<String> {
    let steps = target.init().map(|pid| plan.steps(&target.name(), pid)).unwrap_or_default();
    let mut steps: Vec<String> = steps.into_iter().map(|(_, words)| words).collect();
    if target.container().is_some() {
        steps.push("ask the engine again whether the process is the container's".to_owned());
    }
    if target.node().is_some() {
        steps.push("ask the container runtime again whether the process is the container's".to_owned());
    }
    steps
}

fn beside(identity: &str) -> Vec<String> {
    vec![
        "engine: import an image with the helper in it".to_owned(),
        format!("engine: create a container beside the target, read-only, as {identity}"),
        "engine: remove the image; on Podman, when the container has gone".to_owned(),
        "engine: attach to the container, and start it".to_owned(),
        "send the helper to the root directory of the target's process".to_owned(),
    ]
}

fn within(identity: &str) -> Vec<String> {
    vec![
        "cluster: ask by dry runs as whom a container may be added (done just now)".to_owned(),
        format!("cluster: add an ephemeral container to the pod, read-only, as {identity}; or use the one that runs"),
        "cluster: begin the helper in it".to_owned(),
        "send the helper to the root directory of the target's process".to_owned(),
    ]
}

fn copied() -> Vec<String> {
    vec![
        "cluster: begin the helper in the container, in which its program does not run".to_owned(),
        "send it to the root directory of what holds the program's place".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::plan::{Ids, Namespace, View};
    use crate::target::HostPid;

    #[test]
    fn both_doors() {
        let plan = Plan {
            join: vec![Namespace::Mnt, Namespace::Pid],
            chroot: true,
            view: View::Locked,
            ids: Ids { uid: 65532, gid: 7, groups: vec![8] },
            become_them: true,
            keep: 0,
            need: Capability::SysAdmin.bit(),
            write: false,
        };
        let target = Target::Process(HostPid(4711));
        let text = |door, chosen| Document::of(&target, door, &plan, chosen).text();
        insta::assert_snapshot!(format!("{}\n{}", text(Door::Local, true), text(Door::Sidecar, false)));
    }
}
