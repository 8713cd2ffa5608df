//! What can be typed about clusters, and about the image that they need.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::engine::kube::{Options, Terms};
use crate::settings::{By, Settings};
use crate::toolkit;

/// Options for pods of a cluster.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kubernetes options")]
pub struct Kube {
    /// The pod's namespace; otherwise that of the context.
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The container of the pod; otherwise its default one, or its only one.
    #[arg(short, long, global = true, value_name = "NAME")]
    pub container: Option<String>,
    /// The context of the kubeconfig file to use.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig file; otherwise as KUBECONFIG says, or ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Ask the cluster as this user: what kubectl calls --as, which means somebody inside here.
    #[arg(long, global = true, value_name = "USER")]
    pub impersonate: Option<String>,
    /// Ask the cluster as a member of this group; may be given again.
    #[arg(long, global = true, value_name = "GROUP")]
    pub impersonate_group: Vec<String>,
    /// The image that is added to a pod, as `scratchdbg image build` makes it; otherwise SCRATCHDBG_IMAGE, or as
    /// `scratchdbg config` says.
    #[arg(long, global = true, value_name = "REF")]
    pub image: Option<String>,
    /// How long what is added to a pod may take to start.
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Leave what was added to a pod running, for the next command to use, until nobody has used it for so long.
    #[arg(long, global = true, value_name = "TIME", num_args = 0..=1, default_missing_value = "5m", require_equals = true,
          value_parser = idle)]
    pub keep: Option<Duration>,
    /// Look into a copy of the pod, in which its program does not run: of one that keeps crashing. It is deleted at the end.
    #[arg(long, global = true)]
    pub copy: bool,
    /// Put the copy on the pod's own node, past the scheduler: where its volumes are to be had nowhere else.
    #[arg(long, global = true)]
    pub same_node: bool,
    /// Whether this is kubectl's plugin, by the name it was called by.
    #[arg(skip)]
    pub plugin: bool,
    /// What is settled for all commands.
    #[arg(skip)]
    pub settings: Settings,
}

/// The longest that the helper takes.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn idle(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time <= YEAR { Ok(time) } else { Err("365 days are the most".to_owned()) }
}

impl Kube {
    /// Which cluster, and as whom.
    #[must_use]
    pub fn options(&self) -> Options {
        let usual = Terms::default();
        let idle = self.keep.unwrap_or(usual.idle);
        let (image, by) = toolkit::reference(self.image.as_deref(), &self.settings);
        let terms = Terms {
            image,
            named: by != By::Nobody,
            patience: self.timeout,
            ttl: usual.ttl.max(idle),
            idle,
            keep: self.keep.is_some(),
        };
        Options {
            terms,
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            user: self.impersonate.clone(),
            groups: self.impersonate_group.clone(),
            screen: false,
        }
    }
}

/// Which pods the screen lists.
#[derive(Debug, Clone, Default, Args)]
pub struct Listed {
    /// The screen lists pods of all namespaces.
    #[arg(short = 'A', long, conflicts_with = "target")]
    pub all_namespaces: bool,
    /// The screen lists pods with these labels alone, as kubectl takes them: app=web,tier!=cache.
    #[arg(short = 'l', long, conflicts_with = "target", value_name = "LABELS")]
    pub selector: Option<String>,
}

impl Kube {
    /// Whether the screen begins with the pods of a cluster, where nothing to open is named: something was said of clusters.
    #[must_use]
    pub fn is_meant(&self, listed: &Listed) -> bool {
        self.plugin
            || self.context.is_some()
            || self.namespace.is_some()
            || self.kubeconfig.is_some()
            || listed.all_namespaces
            || listed.selector.is_some()
    }
}

/// `kube`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum KubeCommand {
    /// Print the Role that looking into the pods of a namespace takes; with --copy, into copies of them, too.
    Rbac,
    /// Delete copies of pods that --copy has left: those that have ended, or never began.
    Clean {
        /// In all namespaces.
        #[arg(short = 'A', long)]
        all_namespaces: bool,
        /// Those that run as well. Somebody may be using them.
        #[arg(long)]
        running: bool,
    },
}

/// `image`
#[derive(Debug, Subcommand)]
pub enum Image {
    /// Write it as an OCI layout. No engine is needed.
    Build {
        /// A folder that is not there yet; or an archive, if its name ends in .tar.
        #[arg(short, long, value_name = "DIR|FILE")]
        output: PathBuf,
        /// What it is called, and what is in it.
        #[command(flatten)]
        toolkit: Toolkit,
    },
    /// Write it as an archive for `docker load`, `ctr images import` or `kind load image-archive`. No engine is needed.
    Save {
        /// The archive; - for standard output.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// What it is called, and what is in it.
        #[command(flatten)]
        toolkit: Toolkit,
    },
    /// Load it into the engine and have the engine push it, as `docker login` has made you known there.
    Push {
        /// What it is called, with the registry: registry.example/tools/scratchdbg-toolkit:1.
        #[arg(value_name = "REF")]
        image: String,
        /// What is in it.
        #[command(flatten)]
        debugger: Debugger,
    },
}

/// What the toolkit image is called, and what is in it.
#[derive(Debug, Clone, Args)]
pub struct Toolkit {
    /// What it is called; otherwise SCRATCHDBG_IMAGE, or as `scratchdbg config` says.
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// What is in it.
    #[command(flatten)]
    pub debugger: Debugger,
}

/// What the toolkit image has beside the helper.
#[derive(Debug, Clone, Args)]
pub struct Debugger {
    /// Put in what cores and debuggers take in a pod (core, dlv, the tab Debug): this program, and Delve if there is one.
    #[arg(long)]
    pub with_debugger: bool,
    /// Which dlv; otherwise the newest there is.
    #[arg(long, value_name = "FILE", requires = "with_debugger")]
    pub dlv: Option<PathBuf>,
}
