//! Why a pod could not be entered, in whose words, and what to do.

use crate::engine::kube::pod::Closed;
use crate::engine::kube::wire::Waiting;
use crate::engine::kube::{self, Right};
use crate::entry::status::Status;
use crate::exit::{Exit, Explain};
use crate::shim;
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// Why a pod could not be entered.
#[derive(Debug, thiserror::Error, Clone)]
pub enum Error {
    /// Another door was asked for.
    #[error("{name} is a container of a pod, which is entered through its cluster alone")]
    OtherDoor {
        /// Its name.
        name: String,
    },
    /// It was to be written into.
    #[error("cannot write into {name} through its pod: what is added to it only reads")]
    ReadOnly {
        /// Its name.
        name: String,
    },
    /// No container can be added to the pod.
    #[error("no container can be added to pod {pod}: {}", closed_words(*closed))]
    Closed {
        /// Namespace and name.
        pod: String,
        /// Why not.
        closed: Closed,
    },
    /// Nobody tells who the target is.
    #[error("nobody tells as whom {name} runs: its image says, and this cluster does not report it (before 1.33)")]
    WhoIsIt {
        /// Its name.
        name: String,
    },
    /// RBAC does not allow it.
    #[error("RBAC does not let you look into pods of namespace {namespace}: missing {}", listed(missing))]
    Rights {
        /// Where.
        namespace: String,
        /// Which rights.
        missing: Vec<Right>,
    },
    /// RBAC said so when it was done.
    #[error("RBAC does not let you {what}: {message}")]
    Right {
        /// What was tried.
        what: &'static str,
        /// The server's words.
        message: String,
    },
    /// What the namespace demands of its pods forbids every way.
    #[error("namespace {namespace} does not let a container look into {name}: {}", tried(refusals))]
    Policy {
        /// Where.
        namespace: String,
        /// Whom.
        name: String,
        /// What was tried by dry run, and the server's words.
        refusals: Vec<(&'static str, String)>,
    },
    /// What is made on this host does not run on the node.
    #[error("node {node} is {theirs}, and {image} is for {ours} where it is made on a host like this one")]
    Machine {
        /// Its name.
        node: String,
        /// What it is, as Go names it.
        theirs: String,
        /// The usual image.
        image: String,
        /// What this host is.
        ours: &'static str,
    },
    /// The cluster is too old.
    #[error("the cluster knows no ephemeral containers: it is older than Kubernetes 1.25, or they are turned off")]
    TooOld,
    /// The container that was added waits for what will not come.
    #[error("{holder} cannot start in pod {pod}: {}", kube::pod::words(&waiting.reason, &waiting.message))]
    Stuck {
        /// Its name.
        holder: String,
        /// Namespace and name.
        pod: String,
        /// Its image.
        image: String,
        /// Why, in the kubelet's words.
        waiting: Box<Waiting>,
        /// Images of ours that the node has, where one could not be fetched.
        there: Vec<String>,
    },
    /// It did not start in time.
    #[error("{holder} did not start in pod {pod} within {seconds} s: {seen}")]
    Late {
        /// Its name.
        holder: String,
        /// Namespace and name.
        pod: String,
        /// Where the pod runs.
        node: String,
        /// How long it was waited for.
        seconds: u64,
        /// What was seen of it last.
        seen: String,
        /// Whether the kubelet has said anything at all.
        told: bool,
        /// Whether the target runs.
        target_runs: bool,
        /// The target's full name.
        name: String,
    },
    /// It has ended.
    #[error("{holder} has ended in pod {pod} with status {code}: {why}")]
    Ended {
        /// Its name.
        holder: String,
        /// Namespace and name.
        pod: String,
        /// Its exit status.
        code: i64,
        /// Why, in the kubelet's words.
        why: String,
        /// The target's full name.
        name: String,
    },
    /// A program could not be begun in it.
    #[error("the {program} does not begin in {holder} ({image}): {why}")]
    NoHelper {
        /// What it is to us: the helper, or the debugger.
        program: &'static str,
        /// The container's name.
        holder: String,
        /// Its image.
        image: String,
        /// The cluster's words, or what became of the helper.
        why: String,
    },
    /// The image was made without what debugs.
    #[error("the image {image} has no debugger: there is no {program} in it")]
    NoDebugger {
        /// Its name.
        image: String,
        /// What it lacks.
        program: &'static str,
    },
    /// What debugs there is of another version.
    #[error("the debugger in {image} is not of this version: it says {:?}", theirs.safe().as_str())]
    OtherVersion {
        /// Its name.
        image: String,
        /// What it says.
        theirs: Untrusted,
    },
    /// Whoever is in that container cannot trace the process.
    #[error("{identity} cannot debug {name}: {why}")]
    Untraceable {
        /// The target's name.
        name: String,
        /// As whom it was tried.
        identity: String,
        /// Why not.
        why: &'static str,
    },
    /// A debug file was given for a session in a pod.
    #[error("dlv in a pod takes no debug file: nothing can be put beside it")]
    DebugFile,
    /// A Delve of this host was named for a session in a pod.
    #[error("dlv in a pod is the one of its image, and no other can be named")]
    OtherDelve,
    /// It runs, but the kernel keeps it from the target.
    #[error("the kernel does not let {identity} look into process {pid} of {name}{}", who(truly.as_ref()))]
    Kept {
        /// The target's name.
        name: String,
        /// As whom it was tried.
        identity: String,
        /// The process.
        pid: ContainerPid,
        /// Who the process is, if that could be read.
        truly: Option<Status>,
    },
    /// The target's process is not among those it sees.
    #[error("the process of {name} is not among those that its pod shows")]
    NotFound {
        /// The target's name.
        name: String,
    },
    /// It is a copy: there is nothing to debug.
    #[error("the program of {name} does not run: the pod is a copy, in which a helper holds its place")]
    NothingRuns {
        /// The target's name.
        name: String,
    },
    /// A signal ends this program: nothing is begun any more.
    #[error("{name} is not looked into any more: a signal ends this program")]
    Ending {
        /// Its name.
        name: String,
    },
    /// The target has ended.
    #[error("{name} has ended")]
    Gone {
        /// Its name.
        name: String,
    },
    /// The helper does not answer as it should.
    #[error("cannot enter {name}: {cause}")]
    Shim {
        /// The target's name.
        name: String,
        /// What went wrong.
        cause: shim::Error,
    },
    /// A pod cannot be copied.
    #[error("no copy can be made of pod {pod}: {}", closed_words(*closed))]
    NoCopy {
        /// Namespace and name.
        pod: String,
        /// Why not.
        closed: Closed,
    },
    /// RBAC does not allow to make a copy, or to delete it again.
    #[error("RBAC does not let you look into a copy of a pod of namespace {namespace}: missing {}", listed(missing))]
    CopyRights {
        /// Where.
        namespace: String,
        /// Which rights.
        missing: Vec<Right>,
    },
    /// The cluster does not let the copy be.
    #[error("the cluster lets no copy of pod {pod} be: {message}")]
    CopyRefused {
        /// Namespace and name of what was to be copied.
        pod: String,
        /// The server's words.
        message: String,
    },
    /// The container does not begin in the copy.
    #[error("{container} cannot start in pod {pod}, the copy of {of}: {why}")]
    CopyStuck {
        /// Namespace and name of the copy.
        pod: String,
        /// The name of what it is of.
        of: String,
        /// The container.
        container: String,
        /// Why, in the kubelet's words.
        why: String,
    },
    /// The copy did not begin in time.
    #[error("pod {pod} did not start within {seconds} s: {seen}")]
    CopyLate {
        /// Namespace and name of the copy.
        pod: String,
        /// How long it was waited for.
        seconds: u64,
        /// What was seen of it last.
        seen: String,
    },
    /// The copy is not there any more.
    #[error("somebody else has deleted pod {pod} before it could be used")]
    CopyGone {
        /// Namespace and name of the copy.
        pod: String,
    },
    /// It was to be looked at with the eyes of somebody else.
    #[error("{name} is in a copy of a pod, which is looked at as its own user alone")]
    OwnUser {
        /// Its name.
        name: String,
    },
    /// The cluster did not answer, or refused.
    #[error(transparent)]
    Cluster(#[from] kube::Error),
}

fn closed_words(closed: Closed) -> &'static str {
    match closed {
        Closed::Static => "it is a static pod, which a file on its node makes and no API can change",
        Closed::Windows => "it is for Windows",
        Closed::Deleted => "it is being deleted",
    }
}

fn listed(rights: &[Right]) -> String {
    rights.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn tried(refusals: &[(&str, String)]) -> String {
    refusals.iter().map(|(words, message)| format!("{words}: {message}")).collect::<Vec<_>>().join("; ")
}

fn who(status: Option<&Status>) -> String {
    status.map_or_else(String::new, |status| {
        let rights = if status.permitted == 0 { "no capabilities" } else { "capabilities" };
        format!(", which runs as {}:{} with {rights}", status.ids.uid, status.ids.gid)
    })
}

/// What to do about a reason to wait that does not pass. `None` for one that does.
pub fn advice(reason: &str, image: &str) -> Option<String> {
    Some(match reason {
        _ if is_for_want_of_image(reason) => format!(
            "give the cluster {image}: `scratchdbg image push` to a registry that its nodes can use, then --image or SCRATCHDBG_IMAGE;\n\
             or bring it to the node: `scratchdbg image save`, and `ctr -n k8s.io images import` or `kind load image-archive`;\n\
             a registry that wants a password takes one from the pod alone (imagePullSecrets)"
        ),
        "InvalidImageName" => format!("{image} is no image's name; write it as REGISTRY/NAME:TAG"),
        "ImageInspectError" => {
            "the node's runtime cannot read that image: remove it there, and push it again".to_owned()
        }
        "CreateContainerConfigError" => format!(
            "the kubelet refuses what was asked for: its own words are above;\n\
             is {image} what `scratchdbg image build` made? Another one may run as a user that the pod forbids"
        ),
        "CreateContainerError" | "RunContainerError" | "StartError" => format!(
            "the node's runtime refuses: its own words are above;\n\
             if it does not find /scratchdbg-shim: {image} is not what `scratchdbg image build` made;\n\
             if it says `exec format error`: it was made for another kind of machine than the node is"
        ),
        _ => return None,
    })
}

/// Whether a reason to wait is that an image cannot be fetched.
pub fn is_for_want_of_image(reason: &str) -> bool {
    matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable")
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let role = "ask an administrator: `scratchdbg kube rbac` prints the Role that has all of it;\nthe built-in roles edit and admin lack pods/ephemeralcontainers, on purpose";
        Some(match self {
            Self::OtherDoor { .. } => "leave out --via".to_owned(),
            Self::ReadOnly { .. } => "on its node, as root, it can be written into as cri://NAMESPACE/POD/CONTAINER".to_owned(),
            Self::Closed { closed: Closed::Static, .. } => {
                "on its node, as root, all commands take it as cri://NAMESPACE/POD/CONTAINER".to_owned()
            }
            Self::Closed { closed: Closed::Deleted, .. } => {
                "look at the pod that takes its place: `scratchdbg list --pods`".to_owned()
            }
            Self::WhoIsIt { name } => format!("say so: --as UID:GID (of an image's `USER 65532` it is --as 65532:0)\nor try --as root; the image's USER is told by `docker inspect`, for {name}"),
            Self::Rights { .. } | Self::Right { .. } => role.to_owned(),
            Self::Policy { refusals, .. } if refusals.iter().any(|(_, message)| message.contains("PodSecurity")) => {
                "these are the words of Pod Security Admission, which judges the whole pod, the target too;\n\
                 a pod that is older than the policy, or was debugged with more rights, stays closed until it is made anew;\n\
                 on its node, as root, all commands take it as cri://NAMESPACE/POD/CONTAINER"
                    .to_owned()
            }
            Self::Policy { .. } => "these are the words of a policy of your cluster's own; its administrators can allow it".to_owned(),
            Self::Machine { theirs, .. } => format!(
                "make it with `scratchdbg image push` on a host that is {theirs}, and name it: --image REF\nnothing was added to the pod"
            ),
            Self::TooOld => "on its node, as root, all commands take it as cri://NAMESPACE/POD/CONTAINER".to_owned(),
            Self::CopyRights { .. } => {
                "ask an administrator: `scratchdbg kube rbac --copy` prints the Role that has all of it".to_owned()
            }
            Self::CopyRefused { message, .. } if message.contains("exceeded quota") => {
                "it asks for as much as the container that it is of; nothing was made".to_owned()
            }
            Self::CopyRefused { .. } => {
                "these are the words of a policy of your cluster, which the pod itself may be older than; nothing was made".to_owned()
            }
            Self::CopyStuck { of, .. } => {
                format!("what keeps the copy from it may keep {of} from it, too; the copy was deleted")
            }
            Self::CopyLate { .. } => {
                "--timeout 5m waits for longer; the copy was deleted\n\
                 a volume that one node has (ReadWriteOnce, local) is to be had there alone: --same-node"
                    .to_owned()
            }
            Self::OwnUser { .. } => "leave out --as".to_owned(),
            Self::Stuck { waiting, image, there, .. } => {
                let advice = advice(&waiting.reason, image)?;
                match there.first() {
                    Some(there) => format!("its node has another one, which need not be fetched: --image {there}\n{advice}"),
                    None => advice,
                }
            }
            Self::Late { target_runs: false, name, .. } => {
                format!(
                    "the target itself does not run, and nothing can be put beside it: scratchdbg logs --previous k8s://{name}\n\
                     see its files, its user and its variables in a copy in which it does not run: add --copy"
                )
            }
            Self::Late { told: false, node, .. } => format!(
                "the kubelet of {node} has not said a word about it: is it alive (kubectl get node {node})?\n\
                 nodes that are no machines (Fargate, ACI) start no such containers"
            ),
            Self::Late { .. } => {
                "it may still be fetching the image: --timeout 5m waits for longer;\n\
                 what starts later ends by itself when nobody uses it"
                    .to_owned()
            }
            Self::Ended { code: 137, name, .. } => {
                format!("it ends with the target: see why that ended with scratchdbg logs --previous k8s://{name}")
            }
            Self::Ended { .. } => "is its image what `scratchdbg image build` made?".to_owned(),
            Self::NoDebugger { .. } | Self::OtherVersion { .. } => {
                "make one that has, with this scratchdbg: scratchdbg image build --with-debugger, or image push;\n\
                 then --image or SCRATCHDBG_IMAGE; a container that was kept (--keep) has the image it was made with"
                    .to_owned()
            }
            Self::Untraceable { .. } => {
                "as the target's own user (without --as) it is tried with the rights that takes;\n\
                 on its node, as root, all commands take it as cri://NAMESPACE/POD/CONTAINER"
                    .to_owned()
            }
            Self::DebugFile => "dlv --snapshot runs dlv on this host, over a copy of the process, and takes one".to_owned(),
            Self::OtherDelve => "leave out --dlv; image build --with-debugger --dlv FILE puts another one into the image".to_owned(),
            Self::NoHelper { .. } => "is its image what `scratchdbg image build` of this version made?".to_owned(),
            Self::Kept { truly: Some(status), .. } if status.permitted != 0 => {
                "it has rights that who looks has not: try --as root, where the namespace allows that".to_owned()
            }
            Self::Kept { truly: Some(status), .. } => {
                let ids = &status.ids;
                format!("try --as {}:{}; else it forbids to be looked at (prctl(2), PR_SET_DUMPABLE): --as root", ids.uid, ids.gid)
            }
            Self::Kept { .. } => "try --as root, where the namespace allows that".to_owned(),
            Self::NotFound { .. } => "see all processes of the pod on its node, as root".to_owned(),
            Self::NothingRuns { .. } => "debug it in a pod where it runs".to_owned(),
            Self::Gone { name } => format!("see how it ended: scratchdbg logs --previous k8s://{name}"),
            Self::Cluster(cause) => return cause.hint(),
            Self::Closed { closed: Closed::Windows, .. }
            | Self::NoCopy { .. }
            | Self::CopyGone { .. }
            | Self::Ending { .. }
            | Self::Shim { .. } => return None,
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::OtherDoor { .. }
            | Self::WhoIsIt { .. }
            | Self::OwnUser { .. }
            | Self::NoDebugger { .. }
            | Self::OtherVersion { .. }
            | Self::DebugFile
            | Self::OtherDelve => Exit::Usage,
            Self::ReadOnly { .. }
            | Self::Rights { .. }
            | Self::Right { .. }
            | Self::Policy { .. }
            | Self::Untraceable { .. }
            | Self::CopyRights { .. }
            | Self::CopyRefused { .. }
            | Self::Kept { .. } => Exit::NotPermitted,
            Self::Gone { .. }
            | Self::Late { target_runs: false, .. }
            | Self::CopyGone { .. }
            | Self::Ended { code: 137, .. }
            | Self::Shim { cause: shim::Error::TargetGone, .. } => Exit::NoTarget,
            Self::Closed { .. }
            | Self::NothingRuns { .. }
            | Self::Machine { .. }
            | Self::TooOld
            | Self::Stuck { .. }
            | Self::Late { .. }
            | Self::NoCopy { .. }
            | Self::CopyStuck { .. }
            | Self::CopyLate { .. }
            | Self::Ended { .. }
            | Self::NoHelper { .. }
            | Self::NotFound { .. }
            | Self::Ending { .. }
            | Self::Shim { .. } => Exit::No,
            Self::Cluster(cause) => cause.exit(),
        }
    }
}
