//! The real kubectl, against our API server.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::command::{Ended, run};

/// The kubectl that `scripts/setup` brought, or else the first on the search path.
pub fn program() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let ours = folders.iter().filter(|folder| folder.ends_with("scratchdbg/bin"));
    ours.chain(&folders).map(|folder| folder.join("kubectl")).find(|path| path.is_file())
}

/// It as a user whose kubeconfig file this is. Not started yet.
pub fn kubectl(kubeconfig: &Path, args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(program().expect("kubectl"));
    command.args(args).stdin(Stdio::null());
    // Nothing of whoever runs the tests.
    let home = kubeconfig.parent().expect("a folder");
    command.env("KUBECONFIG", kubeconfig).env("HOME", home).env("KUBERC", "off");
    for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command
}

/// Runs it to its end.
pub fn run_kubectl(kubeconfig: &Path, args: &[impl AsRef<OsStr>]) -> Ended {
    run(kubectl(kubeconfig, args))
}

/// Runs it to its end, with this on its standard input.
pub fn run_kubectl_with(kubeconfig: &Path, args: &[impl AsRef<OsStr>], input: &str) -> Ended {
    let path = kubeconfig.with_extension("input");
    fs::write(&path, input).expect("a file for the input");
    let mut command = kubectl(kubeconfig, args);
    command.stdin(fs::File::open(&path).expect("the input"));
    run(command)
}
