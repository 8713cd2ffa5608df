//! The configuration that says which clusters there are, and what gives the credentials for them.

use kube::client::AuthError;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Config, config};

use super::chain;
use crate::engine::kube::ask::short;
use crate::engine::kube::contexts::{Context, Contexts, DEFAULT};
use crate::engine::kube::{Error, Options};

fn unusable(error: &dyn std::error::Error) -> Error {
    Error::Config { why: chain(error) }
}

fn file(options: &Options) -> Result<Kubeconfig, KubeconfigError> {
    match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    }
}

/// What is configured for the cluster that is chosen, as kubectl chooses it.
pub(super) async fn config(options: &Options) -> Result<Config, Error> {
    let wanted = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match file(options) {
        Ok(file) if !file.contexts.is_empty() || options.kubeconfig.is_some() || options.context.is_some() => {
            Config::from_custom_kubeconfig(file, &wanted).await.map_err(|error| unusable(&error))?
        }
        Err(error) if options.kubeconfig.is_some() || options.context.is_some() => return Err(unusable(&error)),
        // In a pod there is no such file.
        other => incluster(other.err().as_ref())?,
    };
    if let Some(user) = &options.user {
        config.auth_info.impersonate = Some(user.clone());
    }
    if !options.groups.is_empty() {
        config.auth_info.impersonate_groups = Some(options.groups.clone());
    }
    Ok(config)
}

/// The cluster of the pod that this program is in. Where it is in none, the file is what is missing.
fn incluster(error: Option<&KubeconfigError>) -> Result<Config, Error> {
    Config::incluster().map_err(|inside: config::InClusterError| match error {
        Some(error) => unusable(error),
        None => unusable(&inside),
    })
}

/// What can be chosen. Reads files, and asks nobody.
pub(super) fn contexts(options: &Options) -> Result<Contexts, Error> {
    let file = match file(options) {
        Ok(file) if !file.contexts.is_empty() => file,
        Err(error) if options.kubeconfig.is_some() || options.context.is_some() => return Err(unusable(&error)),
        other => {
            let inside = incluster(other.err().as_ref())?;
            let namespace = options.namespace.clone().unwrap_or(inside.default_namespace);
            return Ok(Contexts { all: Vec::new(), current: None, namespace });
        }
    };
    let all: Vec<Context> = file
        .contexts
        .into_iter()
        .filter_map(|named| {
            let context = named.context?;
            let namespace = context.namespace.filter(|name| !name.is_empty()).unwrap_or_else(|| DEFAULT.to_owned());
            let user = context.user.unwrap_or_default();
            Some(Context { name: named.name, cluster: context.cluster, user, namespace })
        })
        .collect();
    let current = options.context.clone().or(file.current_context).filter(|name| !name.is_empty());
    let of_context = current.as_ref().and_then(|name| all.iter().find(|one| one.name == *name));
    let of_context = of_context.map_or(DEFAULT, |context| context.namespace.as_str()).to_owned();
    Ok(Contexts { namespace: options.namespace.clone().unwrap_or(of_context), current, all })
}

/// The credential plugin of a configuration, if it has one. Where a screen has the terminal it gets none: what it wrote would stand
/// all over the screen, and it would take keys away.
pub(super) fn plugin(config: &mut Config, screen: bool) -> Result<Option<String>, Error> {
    let Some(exec) = &mut config.auth_info.exec else { return Ok(None) };
    let plugin = exec.command.clone().unwrap_or_default();
    if screen {
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(Error::WantsTerminal { plugin });
        }
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    Ok(Some(plugin))
}

/// What the crate's error means. It quotes a plugin with all its variables, some of which may be secrets: they are left out.
pub(super) fn failed(error: &kube::Error, plugin: Option<String>) -> Error {
    let kube::Error::Auth(error) = error else { return unusable(error) };
    let plugin = plugin.unwrap_or_else(|| "of the configuration".to_owned());
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            let why = if last.is_empty() { format!("it ended with {}", out.status) } else { short(last) };
            Error::Plugin { plugin, why }
        }
        AuthError::AuthExecStart(error) => Error::Plugin { plugin, why: error.to_string() },
        AuthError::AuthExecParse(_) => Error::Plugin { plugin, why: "what it printed makes no sense".to_owned() },
        AuthError::ExecPluginFailed => Error::Plugin { plugin, why: "it printed none".to_owned() },
        other => unusable(other),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::activity::Journal;
    use crate::engine::kube::Cluster;

    /// A configuration with two contexts.
    fn options(folder: &Path, user: &Value) -> Options {
        let file = folder.join("config");
        let context = |name: &str, namespace: Option<&str>| json!({"name": name, "context": {"cluster": "c", "user": "u", "namespace": namespace}});
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
            "contexts": [context("prod", Some("shop")), context("staging", None)],
            "users": [{"name": "u", "user": user}],
        });
        std::fs::write(&file, config.to_string()).unwrap();
        Options { kubeconfig: Some(file), ..Options::default() }
    }

    /// A plugin that does this.
    fn plugin(folder: &Path, script: &str, mode: &str) -> Value {
        let file = folder.join("plugin");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": file, "interactiveMode": mode,
            "env": [{"name": "PASSWORD", "value": "hunter2"}],
        }})
    }

    #[test]
    fn what_can_be_chosen_is_known_without_asking_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), &json!({"token": "t"}));
        let contexts = contexts(&options).unwrap();
        let names: Vec<_> = contexts.all.iter().map(|one| (one.name.as_str(), one.namespace.as_str())).collect();
        assert_eq!(names, [("prod", "shop"), ("staging", "default")]);
        assert_eq!((contexts.current.as_deref(), contexts.namespace.as_str()), (Some("prod"), "shop"));
        let other = Options { context: Some("staging".into()), namespace: Some("mine".into()), ..options };
        let contexts = super::contexts(&other).unwrap();
        assert_eq!((contexts.current.as_deref(), contexts.namespace.as_str()), (Some("staging"), "mine"));
        let nowhere = Options { kubeconfig: Some(folder.path().join("nosuch")), ..Options::default() };
        assert!(super::contexts(&nowhere).unwrap_err().to_string().contains("nosuch"));
    }

    #[tokio::test]
    async fn a_plugin_gets_no_terminal_that_a_screen_has() {
        let folder = tempfile::tempdir().unwrap();
        let connect = async |mode: &str, screen: bool, script: &str| {
            let user = plugin(folder.path(), script, mode);
            let options = Options { screen, ..options(folder.path(), &user) };
            Cluster::connect(&options, &Journal::default()).await.unwrap_err()
        };
        // It is told so, reads an end at once, and what it writes is caught.
        let script =
            "cat; case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) echo 'log in first' >&2;; esac; exit 1";
        let error = connect("IfAvailable", true, script).await;
        assert!(matches!(&error, Error::Plugin { why, .. } if why == "log in first"), "{error}");
        assert!(!error.to_string().contains("hunter2"));
        let error = connect("Always", true, script).await;
        assert!(matches!(error, Error::WantsTerminal { .. }), "{error}");
        let error = connect("Never", false, "exit 3").await;
        assert!(matches!(&error, Error::Plugin { why, .. } if why.contains("exit status: 3")), "{error}");
    }
}
