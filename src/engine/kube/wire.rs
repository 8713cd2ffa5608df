//! What is read of the API's answers: the fields that are used, and no others. All that a cluster may leave out may be missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Several things.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct List<T> {
    /// Of the list itself.
    #[serde(default)]
    pub metadata: ListMeta,
    /// They.
    #[serde(default, deserialize_with = "or_none")]
    pub items: Vec<T>,
}

/// `v1.ListMeta`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// What the rest of the list is asked for with; empty if this is all.
    #[serde(rename = "continue", deserialize_with = "or_none")]
    pub go_on: String,
    /// How many are in the rest, if the server says.
    pub remaining_item_count: Option<u64>,
}

/// Something of which the name is all that matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Bare {
    /// See there.
    pub metadata: Meta,
}

/// What everything has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: String,
    /// What no other thing has.
    pub uid: String,
    /// When it was made (RFC 3339).
    pub creation_timestamp: Option<String>,
    /// When it is to be gone, if it is being deleted.
    pub deletion_timestamp: Option<String>,
    /// Remarks.
    #[serde(deserialize_with = "or_none")]
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "or_none")]
    pub labels: BTreeMap<String, String>,
}

/// `v1.Pod`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// See there.
    pub metadata: Meta,
    /// What was asked for.
    pub spec: PodSpec,
    /// What became of it.
    pub status: PodStatus,
}

/// `v1.PodSpec`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Where it runs.
    pub node_name: Option<String>,
    /// Its containers.
    #[serde(deserialize_with = "or_none")]
    pub containers: Vec<Container>,
    /// Those that run before them; some go on.
    #[serde(deserialize_with = "or_none")]
    pub init_containers: Vec<Container>,
    /// Those that were added.
    #[serde(deserialize_with = "or_none")]
    pub ephemeral_containers: Vec<Container>,
    /// Whether its containers see each other's processes.
    pub share_process_namespace: Option<bool>,
    /// Whether they see the node's.
    #[serde(rename = "hostPID")]
    pub host_pid: Option<bool>,
    /// Who runs, and with which rights.
    pub security_context: SecurityContext,
    /// For which system it is.
    pub os: Named,
}

/// `v1.Container`, and what of `v1.EphemeralContainer` is the same.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as it was named.
    pub image: String,
    /// What is run, instead of what its image says.
    #[serde(deserialize_with = "or_none")]
    pub command: Vec<String>,
    /// With which arguments.
    #[serde(deserialize_with = "or_none")]
    pub args: Vec<String>,
    /// Variables that it is given.
    #[serde(deserialize_with = "or_none")]
    pub env: Vec<Variable>,
    /// Where it is begun, instead of where its image says.
    pub working_dir: Option<String>,
    /// Ports that it tells of.
    #[serde(deserialize_with = "or_none")]
    pub ports: Vec<Port>,
    /// What it may use.
    pub resources: Resources,
    /// Whether it has a terminal.
    pub tty: bool,
    /// What is mounted into it.
    #[serde(deserialize_with = "or_none")]
    pub volume_mounts: Vec<VolumeMount>,
    /// Who runs, and with which rights.
    pub security_context: SecurityContext,
    /// Whose processes it sees; of those that were added.
    pub target_container_name: Option<String>,
}

/// `v1.EnvVar`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; empty where it is taken from elsewhere.
    pub value: String,
}

/// `v1.SecurityContext`, and what of `v1.PodSecurityContext` is the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecurityContext {
    /// User.
    pub run_as_user: Option<u32>,
    /// Group.
    pub run_as_group: Option<u32>,
    /// Whether user 0 is refused.
    pub run_as_non_root: Option<bool>,
    /// Whether it may do anything.
    pub privileged: Option<bool>,
    /// Whether it may get more rights than it began with.
    pub allow_privilege_escalation: Option<bool>,
    /// Whether its root file system is read-only.
    pub read_only_root_filesystem: Option<bool>,
    /// More rights and less.
    pub capabilities: Capabilities,
}

/// `v1.Capabilities`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Added.
    #[serde(deserialize_with = "or_none")]
    pub add: Vec<String>,
    /// Taken away.
    #[serde(deserialize_with = "or_none")]
    pub drop: Vec<String>,
}

/// Something with a name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// It.
    pub name: String,
}

/// `v1.ContainerPort`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Port {
    /// Inside.
    pub container_port: u16,
    /// On the node, if it is published there.
    pub host_port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Option<String>,
}

/// `v1.ResourceRequirements`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// At most.
    #[serde(deserialize_with = "or_none")]
    pub limits: BTreeMap<String, String>,
}

/// `v1.VolumeMount`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMount {
    /// The volume's name.
    pub name: String,
    /// Where, inside.
    pub mount_path: String,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// `v1.PodStatus`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// Why it is so, in a word (`Evicted`).
    pub reason: Option<String>,
    /// In the words of whoever made it so.
    pub message: Option<String>,
    /// What was seen of it.
    #[serde(deserialize_with = "or_none")]
    pub conditions: Vec<Condition>,
    /// Of its containers.
    #[serde(deserialize_with = "or_none")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Of those that run before them.
    #[serde(deserialize_with = "or_none")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Of those that were added.
    #[serde(deserialize_with = "or_none")]
    pub ephemeral_container_statuses: Vec<ContainerStatus>,
}

/// `v1.PodCondition`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// Of what (`Ready`, `PodScheduled`).
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in a word.
    pub reason: String,
    /// In words.
    pub message: String,
}

/// `v1.Event`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub involved_object: Named,
    /// What happened, in a word.
    pub reason: String,
    /// In words.
    pub message: String,
}

/// `v1.Node`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    /// What is told of it.
    pub status: NodeStatus,
}

/// `v1.NodeStatus`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// What it is.
    #[serde(deserialize_with = "or_none")]
    pub node_info: NodeInfo,
    /// Images that it has.
    #[serde(deserialize_with = "or_none")]
    pub images: Vec<NodeImage>,
}

/// `v1.NodeSystemInfo`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeInfo {
    /// As Go names it.
    #[serde(deserialize_with = "or_none")]
    pub architecture: String,
}

/// `v1.ContainerImage`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeImage {
    /// All that it is called there.
    #[serde(deserialize_with = "or_none")]
    pub names: Vec<String>,
}

/// `v1.ContainerStatus`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Whose.
    pub name: String,
    /// Its image's digest or id.
    #[serde(rename = "imageID")]
    pub image_id: String,
    /// `containerd://…`
    #[serde(rename = "containerID")]
    pub container_id: Option<String>,
    /// Whether it takes requests.
    pub ready: bool,
    /// How often it was started again.
    pub restart_count: u64,
    /// What it does now.
    pub state: State,
    /// How its last run ended.
    pub last_state: State,
    /// Who its first process is, from Kubernetes 1.33 on.
    pub user: User,
}

/// `v1.ContainerState`: one of the three.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct State {
    /// It does not run yet, or not any more.
    pub waiting: Option<Waiting>,
    /// It runs.
    pub running: Option<Running>,
    /// It has ended.
    pub terminated: Option<Terminated>,
}

/// `v1.ContainerStateWaiting`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// For what, in a word (`ContainerCreating`, `ErrImagePull`).
    pub reason: String,
    /// In the kubelet's words.
    pub message: String,
}

/// `v1.ContainerStateRunning`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Running {
    /// Since when.
    pub started_at: Option<String>,
}

/// `v1.ContainerStateTerminated`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// Its exit status.
    pub exit_code: i64,
    /// Why, in a word (`OOMKilled`, `Error`).
    pub reason: String,
    /// In the kubelet's words.
    pub message: String,
    /// From when on it ran.
    pub started_at: Option<String>,
    /// Until when.
    pub finished_at: Option<String>,
}

/// `v1.ContainerUser`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// On Linux.
    pub linux: Option<LinuxUser>,
}

/// `v1.LinuxContainerUser`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LinuxUser {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Further groups.
    #[serde(deserialize_with = "or_none")]
    pub supplemental_groups: Vec<u32>,
}

/// What makes pods, or leads to them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Workload {
    /// What was asked for.
    pub spec: WorkloadSpec,
}

/// What is common to the specifications of all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WorkloadSpec {
    /// Labels of its pods: of a Service the labels themselves, of the others `v1.LabelSelector`.
    pub selector: Option<serde_json::Value>,
}

/// `v1.Status`: why something was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    /// In words.
    pub message: String,
    /// In one (`Forbidden`).
    pub reason: String,
    /// On what.
    pub details: Option<Details>,
}

/// `v1.StatusDetails`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Its name.
    pub name: String,
}

/// `authorization.k8s.io/v1.SelfSubjectAccessReview`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Review {
    /// The answer.
    pub status: ReviewStatus,
}

/// `authorization.k8s.io/v1.SubjectAccessReviewStatus`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReviewStatus {
    /// Whether it is allowed.
    pub allowed: bool,
}

/// The server writes `null` for lists and maps that are empty.
pub(super) fn or_none<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_null_is_nothing() {
        let pod: Pod = serde_json::from_str(
            r#"{"metadata":{"name":"web","labels":null},"spec":{"containers":null,"hostPID":true},"status":{}}"#,
        )
        .unwrap();
        assert_eq!((pod.metadata.name.as_str(), pod.spec.host_pid, pod.spec.containers.len()), ("web", Some(true), 0));
        let list: List<Pod> = serde_json::from_str(r#"{"items":null}"#).unwrap();
        assert_eq!(list.items.len(), 0);
    }
}
