//! The container runtime of a Kubernetes node: a containerd of a test's own, with its own folders and its own network, told by its
//! own CRI what to run. No kubelet, no cluster, and no plugin for networks: its pods are on its own host network.

mod messages;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use prost::Message;
use scratchdbg::engine::cri::grpc;
use tempfile::TempDir;

use self::messages::*;
use super::command::{binary, run};
use super::process::{all_pids, command_line, has_ended, read};
use super::wait;

/// The image of what holds a pod together, and of what runs in it.
const PAUSE: &str = "scratchdbg.test/pause:1";
const APP: &str = "docker.io/scratchdbg-test/toolbox:latest";
/// How long making a container may take on a busy machine.
const LONG: Duration = Duration::from_secs(40);

/// What keeps tests with it from running here, if anything.
pub fn missing() -> Option<String> {
    let there =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let lacks = ["containerd", "ctr", "runc", "unshare", "ip"].into_iter().find(|name| !there(name));
    lacks.map(|name| format!("there is no {name}"))
}

/// A containerd; it and all that it runs are gone when dropped.
pub struct Runtime {
    folder: TempDir,
    child: Child,
    asking: tokio::runtime::Runtime,
    pods: Vec<String>,
    group: String,
}

/// A pod that runs.
pub struct Pod {
    id: String,
    config: PodSandboxConfig,
}

impl Runtime {
    /// Starts one that knows both images.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        fs::write(&config, configuration(folder.path())).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "slave", "sh", "-c"]);
        command.args(["ip link set lo up && exec containerd --config \"$0\""]).arg(&config);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let group = format!("/scratchdbg-test-{}", std::process::id());
        let runtime = Self { folder, child, asking, pods: Vec::new(), group };
        let log = || read(runtime.folder.path().join("log"));
        let answers = wait::ask_within(LONG, || {
            runtime.try_ask::<_, Nothing>("/runtime.v1.RuntimeService/Version", &Nothing {}).ok()
        });
        assert!(answers.is_some(), "containerd does not answer; its log:\n{}", log());
        // What holds a pod is the toolkit's own holder: a static program that stays, as the first process.
        let pause = runtime.folder.path().join("pause.tar");
        run(binary(&[
            "image".as_ref(),
            "save".as_ref(),
            "--image".as_ref(),
            PAUSE.as_ref(),
            "-o".as_ref(),
            pause.as_os_str(),
        ]))
        .ok();
        runtime.import(&pause);
        let app = runtime.folder.path().join("app.tar");
        let mut save = Command::new("docker");
        save.args(["save", "scratchdbg-test/toolbox", "--output"]).arg(&app).stdin(Stdio::null());
        run(save).ok();
        runtime.import(&app);
        runtime
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("c.sock")
    }

    fn import(&self, archive: &Path) {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io", "images", "import"]).arg(archive);
        command.stdin(Stdio::null());
        run(command).ok();
    }

    fn try_ask<Q: Message, A: Message + Default>(&self, method: &'static str, question: &Q) -> Result<A, String> {
        let socket = self.socket();
        self.asking.block_on(grpc::ask_within(LONG, &socket, method, question)).map_err(|error| error.to_string())
    }

    fn ask<Q: Message, A: Message + Default>(&self, method: &'static str, question: &Q) -> A {
        self.try_ask(method, question)
            .unwrap_or_else(|error| panic!("{error}; its log:\n{}", read(self.folder.path().join("log"))))
    }

    /// Makes a pod without containers.
    pub fn pod(&mut self, namespace: &str, name: &str) -> Pod {
        let options = NamespaceOption { network: NODE, pid: CONTAINER };
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: name.to_owned(),
                uid: format!("{namespace}-{name}"),
                namespace: namespace.to_owned(),
            }),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: self.group.clone(),
                security_context: Some(LinuxSandboxSecurityContext { namespace_options: Some(options) }),
            }),
        };
        let request = RunPodSandboxRequest { config: Some(config.clone()) };
        let made: RunPodSandboxResponse = self.ask("/runtime.v1.RuntimeService/RunPodSandbox", &request);
        self.pods.push(made.pod_sandbox_id.clone());
        Pod { id: made.pod_sandbox_id, config }
    }

    /// Runs the toolbox in a pod, with as few rights as can be; its id. `attempt` counts the runs of that name.
    pub fn run(&self, pod: &Pod, name: &str, attempt: u32, part: &[&str]) -> String {
        let rights = LinuxContainerSecurityContext {
            capabilities: Some(Capability { drop_capabilities: vec!["ALL".to_owned()] }),
            namespace_options: Some(NamespaceOption { network: NODE, pid: CONTAINER }),
            run_as_user: Some(Int64Value { value: 65532 }),
            readonly_rootfs: true,
            no_new_privs: true,
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: pod.id.clone(),
            config: Some(ContainerConfig {
                metadata: Some(ContainerMetadata { name: name.to_owned(), attempt }),
                image: Some(ImageSpec { image: APP.to_owned() }),
                args: part.iter().map(|&word| word.to_owned()).collect(),
                linux: Some(LinuxContainerConfig { security_context: Some(rights) }),
            }),
            sandbox_config: Some(pod.config.clone()),
        };
        let made: CreateContainerResponse = self.ask("/runtime.v1.RuntimeService/CreateContainer", &request);
        let container_id = made.container_id;
        let request = ContainerRequest { container_id: container_id.clone() };
        let _: Nothing = self.ask("/runtime.v1.RuntimeService/StartContainer", &request);
        container_id
    }

    /// Kills a container.
    pub fn stop(&self, container: &str) {
        let request = ContainerRequest { container_id: container.to_owned() };
        let _: Nothing = self.ask("/runtime.v1.RuntimeService/StopContainer", &request);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        for pod_sandbox_id in std::mem::take(&mut self.pods) {
            let request = PodRequest { pod_sandbox_id };
            for method in ["/runtime.v1.RuntimeService/StopPodSandbox", "/runtime.v1.RuntimeService/RemovePodSandbox"] {
                if let Err(error) = self.try_ask::<_, Nothing>(method, &request) {
                    eprintln!("a pod was not taken away: {error}");
                }
            }
        }
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let ended = wait::ask_within(LONG, || self.child.try_wait().unwrap());
        if ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // Whatever looks after a container of its, should there be one still: it was started with a path in our folder.
        let folder = self.folder.path().display().to_string();
        for pid in all_pids().filter(|&pid| command_line(pid).contains(&folder)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            wait::ask_within(LONG, || has_ended(pid).then_some(()));
        }
        let Ok(kinds) = fs::read_dir("/sys/fs/cgroup") else { return };
        let all = kinds.flatten().map(|kind| kind.path()).chain([PathBuf::from("/sys/fs/cgroup")]);
        for path in all {
            // Those that are not of its version or kind have none of that name.
            let _ = fs::remove_dir(path.join(self.group.trim_start_matches('/')));
        }
    }
}

fn configuration(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let unused = ["aufs", "btrfs", "devmapper", "zfs"].map(|name| format!("\"io.containerd.snapshotter.v1.{name}\""));
    format!(
        r#"
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt", {unused}]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{ttrpc}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{none}"
    conf_dir = "{none}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{runc}"
"#,
        root = at("root"),
        state = at("state"),
        unused = unused.join(", "),
        socket = at("c.sock"),
        ttrpc = at("t.sock"),
        none = at("none"),
        runc = at("runc"),
    )
}
