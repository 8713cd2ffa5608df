//! Who looks into pods: a user of the API server with the toolkit image of this build, and no engine.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use fakekube::{FakeKube, User};
use serde_json::{Value, json};

use crate::support::command::{BINARY, Ended, binary, run, run_within};
use crate::support::engine::{docker, try_docker};
use crate::support::pty::{Setup, Terminal};
use crate::support::wait;

/// The toolkit image, on the engine that is the node's.
pub struct Toolkit {
    name: String,
    /// Whether it goes with this.
    goes: bool,
}

impl Toolkit {
    fn load() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scratchdbg-test/looker:{}-{count}", std::process::id());
        Self::make(&name, &[]);
        Self { name, goes: true }
    }

    /// With this very program in it, which is large: it stays until there is another build of that.
    fn with_debugger() -> Self {
        let built = fs::metadata(BINARY).unwrap();
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut hasher = DefaultHasher::new();
        place.hash(&mut hasher);
        let repository = format!("scratchdbg-test/debugger-{:x}", hasher.finish());
        let name = format!("{repository}:{}.{}", built.mtime(), built.mtime_nsec());
        let lock = File::create(place.join("toolkit.lock")).unwrap();
        lock.lock().unwrap();
        let there = docker(&["images", "--format", "{{.Repository}}:{{.Tag}}", &repository]);
        if !there.lines().any(|one| one == name) {
            Self::make(&name, &["--with-debugger"]);
            for old in there.lines() {
                let _ = try_docker(&["rmi", old]);
            }
        }
        Self { name, goes: false }
    }

    fn make(name: &str, flags: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("toolkit.tar");
        let mut save = binary(&["image", "save", "--image", name, "-o", file.to_str().unwrap()]);
        save.args(flags);
        run_within(wait::PATIENCE * 4, save).ok();
        let mut load = Command::new("docker");
        load.arg("load").stdin(File::open(&file).unwrap());
        run_within(wait::PATIENCE * 4, load).ok();
    }
}

impl Drop for Toolkit {
    fn drop(&mut self) {
        if self.goes {
            let _ = try_docker(&["rmi", "--force", &self.name]);
        }
    }
}

/// Somebody who looks.
pub struct Looker {
    kubeconfig: PathBuf,
    toolkit: Toolkit,
}

impl Looker {
    /// A user of the server.
    pub fn new(kube: &FakeKube, user: User) -> Self {
        Self { kubeconfig: kube.user(user), toolkit: Toolkit::load() }
    }

    /// The same, with a debugger in the image.
    pub fn with_debugger(kube: &FakeKube, user: User) -> Self {
        Self { kubeconfig: kube.user(user), toolkit: Toolkit::with_debugger() }
    }

    /// The configuration file.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `scratchdbg ARGS…`, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        self.dressed(binary(args))
    }

    /// Any command with its configuration.
    pub fn dressed(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", &self.kubeconfig).env("SCRATCHDBG_IMAGE", &self.toolkit.name);
        command.env("HOME", self.kubeconfig.parent().unwrap());
        // Whoever may debug in a cluster has no engine.
        command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock").env_remove("DOCKER_CONTEXT");
        command
    }

    /// Runs `scratchdbg ARGS…` to its end.
    pub fn runs(&self, args: &[&str]) -> Ended {
        run(self.command(args))
    }

    /// The name of its image.
    pub fn image(&self) -> &str {
        &self.toolkit.name
    }

    /// The screen, in a terminal.
    pub fn screen(&self, args: &[&str]) -> Terminal {
        self.setup(args).start()
    }

    /// The same, not started yet.
    pub fn setup(&self, args: &[&str]) -> Setup {
        self.dress(Setup::scratchdbg(args))
    }

    /// A program in a terminal with its configuration, not started yet.
    pub fn dress(&self, setup: Setup) -> Setup {
        let setup = setup.env("KUBECONFIG", self.kubeconfig.to_str().unwrap());
        setup.env("SCRATCHDBG_IMAGE", &self.toolkit.name).env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    }
}

/// What Pod Security Admission wants of a container in a namespace that enforces `restricted`.
pub fn strict() -> Value {
    json!({
        "runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// A pod of one container `app`.
pub fn pod(namespace: &str, name: &str, mut container: Value, spec: &Value) -> Value {
    container["name"] = json!("app");
    let metadata = json!({"name": name, "namespace": namespace, "labels": {"app": name}});
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    pod["spec"]["containers"] = json!([container]);
    pod
}

/// The sample web server, as strict as it can be.
pub fn shop() -> Value {
    json!({"image": "scratchdbg-test/shop", "securityContext": strict()})
}

/// A namespace that enforces this level.
pub fn namespace(kube: &FakeKube, name: &str, level: &str) {
    let labels = json!({"pod-security.kubernetes.io/enforce": level});
    kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
}

/// A cluster with the sample web server in a namespace that enforces `restricted`: `k8s://shop/web`.
pub fn restricted() -> FakeKube {
    let kube = FakeKube::start();
    namespace(&kube, "shop", "restricted");
    kube.run(pod("shop", "web", shop(), &json!({})));
    kube.wait_for_log("shop", "web", "app", "shop open");
    kube
}

/// What was added to a pod.
pub fn added(kube: &FakeKube, namespace: &str, name: &str) -> Vec<Value> {
    kube.pod(namespace, name)["spec"]["ephemeralContainers"].as_array().cloned().unwrap_or_default()
}

/// Waits until all that was added to a pod has ended; with how.
pub fn all_ended(kube: &FakeKube, namespace: &str, name: &str) -> Vec<Value> {
    let count = added(kube, namespace, name).len();
    let ended = |pod: &Value| -> Vec<Value> {
        let all = pod["status"]["ephemeralContainerStatuses"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter_map(|one| one["state"].get("terminated").cloned()).collect()
    };
    let pod = kube.wait_for_pod(namespace, name, "all that was added to end", move |pod| ended(pod).len() == count);
    ended(&pod)
}
