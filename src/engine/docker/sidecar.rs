//! Sidecars: a container that holds nothing but what we put into it, and shares the target's processes.
//!
//! The image is made for the occasion. Docker lets it be taken away again before the helper starts: a container that has
//! been created keeps its layers, not its image. So what is left by a host that is killed is at most a container that ends
//! with its input, and removes itself. Podman takes a container away with its image, so there it goes last.

pub mod signals;
pub mod undertaker;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::container::AttachContainerResults;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, CreateImageOptionsBuilder, RemoveImageOptionsBuilder,
    StartContainerOptions,
};
use futures_util::StreamExt as _;
use tokio::io::AsyncWrite;
use tokio::sync::{RwLock, RwLockReadGuard};

use super::own::{Leftover, LeftoverKind};
use super::{Docker, Error};
use crate::activity::Made;
use crate::engine::labels;
pub use crate::image::Packed;
use crate::image::layer;

/// How such a file system is made: settings, a socket, and a folder for them.
const SCRATCH: &str = "size=1m,mode=1777";
/// Image names begin so.
const REPOSITORY: &str = "scratchdbg-helper";
/// How long the end of the process waits for one that is being made.
const SETTLE: Duration = Duration::from_secs(5);
/// How long until an image that is in use is tried to be removed again.
const AGAIN: Duration = Duration::from_millis(20);
/// What is older than this and has not been started was left by somebody who was killed.
const STALE: i64 = 60;

/// Held while one is being made: half of it must not stay when the process ends.
static MAKING: RwLock<()> = RwLock::const_new(());

/// Waits until no sidecar is half made, however it was that nobody wants it any more. For the end of the process.
pub async fn settle() {
    if tokio::time::timeout(SETTLE, MAKING.write()).await.is_ok() {
        undertaker::dismiss().await;
    }
}

/// What a sidecar is made from.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Full id of the container to share processes and network with.
    pub target: String,
    /// The target's pid namespace mode, as the engine tells it.
    pub pid_mode: String,
    /// Its network mode; `None` if its network is not to be shared, nor any other.
    pub network_mode: Option<String>,
    /// Its user namespace mode.
    pub userns_mode: String,
    /// What its image holds. The first one is its program.
    pub files: Vec<Packed>,
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// The most memory that it may take, in bytes. The engines want 6 MiB at least.
    pub memory: i64,
    /// An absolute path at which it has a file system in memory to write to, if it needs one.
    pub scratch: Option<&'static str>,
    /// User and group.
    pub user: String,
    /// Further groups.
    pub groups: Vec<String>,
    /// Capabilities, without `CAP_`. All others are dropped.
    pub capabilities: Vec<String>,
}

/// A sidecar that runs.
pub struct Sidecar {
    /// Its id.
    pub id: String,
    /// What it writes.
    pub output: Output,
    /// What it reads. It ends when this is closed.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    /// What was made for it, which its end takes back.
    pub made: Made,
    /// What has to be done when it has ended.
    pub rest: Option<Rest>,
}

/// An image that is still there, and the process's promise to wait for its end.
pub struct Rest {
    engine: Docker,
    image: String,
    imported: Made,
    _making: RwLockReadGuard<'static, ()>,
}

impl Rest {
    /// Takes the image away as soon as its container has gone.
    pub async fn remove(self) {
        let what = format!("remove image {}", self.image);
        let removing = async {
            loop {
                let options = RemoveImageOptionsBuilder::default().force(false).build();
                match self.engine.bollard.remove_image(&self.image, Some(options), None).await {
                    // In use: the container is about to remove itself.
                    Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => {}
                    result => break result.map_err(|error| self.engine.failed(&what, error)),
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        let step = self.engine.begin(&what, None);
        // Out of time, the step is given up.
        let result = tokio::time::timeout(SETTLE, removing).await;
        if let Ok(result) = &result {
            step.end(result);
        }
        if matches!(result, Ok(Ok(_))) { self.imported.undone() } else { undertaker::stay() }
    }
}

/// What comes out of a sidecar, with the engine's framing taken off.
pub type Output =
    Pin<Box<dyn futures_util::Stream<Item = Result<bollard::container::LogOutput, bollard::errors::Error>> + Send>>;

impl Docker {
    /// Makes a sidecar and starts it. If that fails, nothing of it stays.
    ///
    /// # Errors
    /// If the engine refuses a step, or does not answer.
    pub async fn sidecar(&self, recipe: Recipe) -> Result<Sidecar, Error> {
        signals::guard();
        undertaker::call();
        let engine = self.clone();
        // In a task of its own: whoever waits for it may be gone at any moment, and it has to be made whole even so.
        // What nobody takes is dropped, and ends with its input.
        let making = tokio::spawn(async move { engine.make(&recipe).await.inspect_err(|_| undertaker::stay()) });
        let lost = |error: tokio::task::JoinError| Error::Lost { endpoint: self.endpoint(), why: error.to_string() };
        making.await.map_err(lost)?
    }

    async fn make(&self, recipe: &Recipe) -> Result<Sidecar, Error> {
        let making = MAKING.read().await;
        let name = unique();
        let (image, imported) = self.import(&name, &recipe.files).await?;
        let container = format!("scratchdbg-{name}");
        let (created, ()) =
            futures_util::future::join(self.create(&container, &image, recipe), self.sweep(&image)).await;
        let mut rest = None;
        if self.transport.is_podman() && created.is_ok() {
            rest = Some(Rest { engine: self.clone(), image, imported, _making: making });
        } else if self.remove(LeftoverKind::Image, &image).await.is_ok() {
            imported.undone();
        } else {
            undertaker::stay();
        }
        let (id, made) = created?;
        match self.run(&id, &container).await {
            Ok((AttachContainerResults { output, input }, run)) => {
                Ok(Sidecar { id, output, input, made: made.and(run), rest })
            }
            Err(error) => {
                if self.remove(LeftoverKind::Container, &id).await.is_ok() {
                    made.undone();
                }
                if let Some(rest) = rest {
                    rest.remove().await;
                }
                Err(error)
            }
        }
    }

    /// Takes away what earlier ones left that were killed while they made one. The image just made tells the time by the
    /// engine's own clock. What cannot be taken away is left to the next, and to `clean`.
    async fn sweep(&self, image: &str) {
        let Ok(leftovers) = self.leftovers().await else { return };
        let now = leftovers
            .iter()
            .find(|one| one.id.ends_with(image.trim_start_matches("sha256:")))
            .and_then(|one| one.created);
        let Some(now) = now else { return };
        let stale = |one: &&Leftover| one.unused && one.created.is_some_and(|created| now - created > STALE);
        for one in leftovers.iter().filter(stale) {
            // An image stays while a container is there that was made of it. On Podman that is somebody's sidecar.
            let _ = self.remove_unforced(one.kind, &one.id).await;
        }
    }

    /// Gives the engine an image with these files in it, and gets its id.
    async fn import(&self, name: &str, files: &[Packed]) -> Result<(String, Made), Error> {
        let image = format!("{REPOSITORY}:{name}");
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        let what = format!("import image {image}, {bytes} bytes");
        let step = self.begin(&what, Some(&format!("docker rmi {image}")));
        let mut result = self.try_import(name, files).await;
        // Podman looks an image up that it has just made, and does not find it if another one is removed at that moment.
        if result.as_ref().is_err_and(|error| error.to_string().contains(NOT_FOUND_ANEW)) {
            result = self.try_import(name, files).await;
        }
        let made = step.end(&result);
        result.map(|id| (id, made))
    }

    async fn try_import(&self, name: &str, files: &[Packed]) -> Result<String, Error> {
        let what = "import the helper's image";
        // One change and no more: Podman takes all that follows for the value of the first.
        let changes = vec![format!("LABEL {}={}", labels::OWNER, labels::OWNER_VALUE)];
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(REPOSITORY).tag(name).changes(changes);
        // It bears the image's name where nobody looks, so that two made in the same second are two. Podman keeps equal
        // archives once, and loses one that is being imported if it is removed with another image at the same moment.
        let archive = layer::archive(files, name)
            .map_err(|error| Error::Address { what: "the helper's image".to_owned(), why: error.to_string() })?;
        let mut progress =
            self.bollard.create_image(Some(options.build()), Some(bollard::body_full(archive.into())), None);
        let mut id = None;
        while let Some(step) = progress.next().await {
            // The last thing it says is the id. Podman knows the image by no other name than that.
            id = step.map_err(|error| self.failed(what, error))?.status.or(id);
        }
        let id = id.map(|id| id.trim().to_owned()).filter(|id| is_id(id));
        id.ok_or_else(|| Error::Garbled {
            endpoint: self.endpoint(),
            what: what.to_owned(),
            why: "it gave no id of the image".to_owned(),
        })
    }

    async fn create(&self, name: &str, image: &str, recipe: &Recipe) -> Result<(String, Made), Error> {
        let rights = match recipe.capabilities.join(" ") {
            none if none.is_empty() => "no capabilities".to_owned(),
            some => some,
        };
        let beside = recipe.target.get(..12).unwrap_or(&recipe.target);
        let what = format!("create container {name} beside {beside} as {} with {rights}", recipe.user);
        let step = self.begin(&what, Some(&format!("docker rm -f {name}; it removes itself when it ends")));
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let created = self.bollard.create_container(Some(options), body(image, recipe)).await;
        let result = created.map_err(|error| self.failed("create a sidecar", error));
        let made = step.end(&result);
        result.map(|created| (created.id, made))
    }

    async fn run(&self, id: &str, name: &str) -> Result<(AttachContainerResults, Made), Error> {
        // Attached first: not one byte may be lost, and there is no log to find it in.
        let options = AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).build();
        let step = self.begin(&format!("attach to container {name}"), Some("the end of the connection"));
        let attached = self.bollard.attach_container(id, Some(options)).await;
        let attached = attached.map_err(|error| self.failed("attach to the sidecar", error));
        let made = step.end(&attached);
        let attached = attached?;
        let step = self.begin(&format!("start container {name}"), Some("the end of its input"));
        let started = self.bollard.start_container(id, None::<StartContainerOptions>).await;
        let started = started.map_err(|error| self.failed("start the sidecar", error));
        let made = made.and(step.end(&started));
        started.inspect_err(|_| made.undone())?;
        Ok((attached, made))
    }
}

/// How a sidecar is made. It can do nothing that its one capability does not let it.
fn body(image: &str, recipe: &Recipe) -> ContainerCreateBody {
    // What is the host's is taken from the host: an engine without root may not join it by way of a container.
    let share = |mode: &str| match mode {
        "host" => mode.to_owned(),
        _ => format!("container:{}", recipe.target),
    };
    // Who is in another user namespace than the target goes by other numbers, and has no rights over it. The engine's own,
    // which has no name, is the sidecar's unasked.
    let users = Some(recipe.userns_mode.as_str()).filter(|mode| !mode.is_empty());
    // Engines make it without programs, devices and set-user-id unless they are told to. Whose it is is for who makes a folder
    // in it: not every engine takes an owner.
    let scratch = recipe.scratch.map(|path| HashMap::from([(path.to_owned(), SCRATCH.to_owned())]));
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(recipe.files.first().map(|program| program.path.clone()).into_iter().collect()),
        cmd: Some(recipe.arguments.clone()),
        user: Some(recipe.user.clone()),
        labels: Some(HashMap::from([
            (labels::OWNER.to_owned(), labels::OWNER_VALUE.to_owned()),
            (labels::TARGET.to_owned(), recipe.target.clone()),
        ])),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        open_stdin: Some(true),
        // The end of our connection is the end of its input, and so of itself.
        stdin_once: Some(true),
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(recipe.capabilities.clone()),
            group_add: Some(recipe.groups.clone()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            pid_mode: Some(share(&recipe.pid_mode)),
            network_mode: Some(recipe.network_mode.as_deref().map_or_else(|| "none".to_owned(), share)),
            userns_mode: users.map(share),
            memory: Some(recipe.memory),
            tmpfs: scratch,
            // With the default driver every frame would be written to the engine's disk.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// What Podman 4.3 says of the id of an image that it does not find again: it then takes it for a name.
const NOT_FOUND_ANEW: &str = "cannot specify 64-byte hexadecimal strings";

/// `sha256:` and 64 digits, or these alone.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A name nobody else has: two who look at the same time must not take each other's image away.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{:x}", token(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What the names of all that this process makes begin with, and of nobody else's.
fn token() -> &'static str {
    static TOKEN: OnceLock<String> = OnceLock::new();
    TOKEN.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // About milliseconds: no process has the number of another one so soon.
        format!("{:x}x{:x}", std::process::id(), now.as_nanos() >> 20)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(path: &str, mode: u32) -> Packed {
        Packed { path: path.to_owned(), mode, bytes: b"ELF".into() }
    }

    fn recipe() -> Recipe {
        Recipe {
            target: "abc".to_owned(),
            pid_mode: String::new(),
            network_mode: Some("bridge".to_owned()),
            userns_mode: String::new(),
            files: vec![packed("/shim", 0o111)],
            arguments: vec!["s".to_owned()],
            memory: 32 << 20,
            scratch: None,
            user: "0:0".to_owned(),
            groups: vec!["7".to_owned()],
            capabilities: vec!["SYS_PTRACE".to_owned()],
        }
    }

    #[test]
    fn a_sidecar_is_asked_for_with_nothing_it_does_not_need() {
        // By way of a value: its keys are sorted, those of the labels' map are not.
        let body = serde_json::to_value(body("image", &recipe())).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    }

    #[test]
    fn what_is_shared_is_the_targets_or_the_hosts() {
        let beside = Some("container:abc");
        for (mode, pids, network, users) in [
            ("", beside, beside, None),
            ("private", beside, beside, beside),
            ("container:def", beside, beside, beside),
            ("host", Some("host"), Some("host"), Some("host")),
        ] {
            let [pid_mode, network_mode, userns_mode] = [(); 3].map(|()| mode.to_owned());
            let network_mode = Some(network_mode);
            let host = body("image", &Recipe { pid_mode, network_mode, userns_mode, ..recipe() }).host_config.unwrap();
            assert_eq!((host.pid_mode.as_deref(), host.network_mode.as_deref()), (pids, network), "{mode:?}");
            assert_eq!(host.userns_mode.as_deref(), users, "{mode:?}");
        }
    }

    #[test]
    fn a_network_is_not_shared_unasked() {
        let recipe = Recipe { network_mode: None, scratch: Some("/scratch"), ..recipe() };
        let host = body("image", &recipe).host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.tmpfs.unwrap()["/scratch"], SCRATCH);
    }

    #[test]
    fn names_differ() {
        let (one, other) = (unique(), unique());
        assert_ne!(one, other);
        let of = |name: &str| layer::archive(&[packed("/shim", 0o111)], name).unwrap();
        assert_ne!(of(&one), of(&other));
    }
}
