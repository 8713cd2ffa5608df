//! The configuration that says which clusters there are, and what gives the credentials for them.

use std::net::IpAddr;

use hyper::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
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
            let own_proxy = has_own_proxy(&file, options);
            let mut config = Config::from_custom_kubeconfig(file, &wanted).await.map_err(|error| unusable(&error))?;
            if !own_proxy {
                config.proxy_url = through(config.proxy_url, &config.cluster_url, &Matcher::from_env());
            }
            config
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

/// Whether the chosen cluster names the proxy before it: that one is always used.
fn has_own_proxy(file: &Kubeconfig, options: &Options) -> bool {
    let context = options.context.as_ref().or(file.current_context.as_ref());
    let context = file.contexts.iter().find(|one| Some(&one.name) == context).and_then(|one| one.context.as_ref());
    let cluster = context.and_then(|context| file.clusters.iter().find(|one| one.name == context.cluster));
    let cluster = cluster.and_then(|one| one.cluster.as_ref());
    cluster.and_then(|cluster| cluster.proxy_url.as_ref()).is_some_and(|url| !url.is_empty())
}

/// The proxy that `HTTPS_PROXY` names, if it is used for this cluster. The crate compares `NO_PROXY` with the proxy and not with
/// the cluster. As for kubectl, nothing of this host is behind a proxy (Go's net/http, `ProxyFromEnvironment`), and one without a
/// scheme speaks HTTP.
fn through(proxy: Option<Uri>, cluster: &Uri, rules: &Matcher) -> Option<Uri> {
    let host = cluster.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let proxy = proxy.filter(|_| !is_here && rules.intercept(cluster).is_some())?;
    if proxy.scheme().is_some() { Some(proxy) } else { format!("http://{proxy}").parse().ok() }
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

/// What the crate's error means, where no client could be made.
pub(super) fn failed(error: &kube::Error, plugin: Option<String>) -> Error {
    match error {
        kube::Error::Auth(error) => without_credentials(error, plugin),
        // The crate quotes them, with their passwords.
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => {
            Error::Config { why: "the proxy before it speaks neither HTTP nor HTTPS".to_owned() }
        }
        other => unusable(other),
    }
}

/// Why there are no credentials. The crate quotes a plugin with all its variables, some of which may be secrets: they are left out.
pub(super) fn without_credentials(error: &AuthError, plugin: Option<String>) -> Error {
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

    #[tokio::test]
    async fn a_plugin_that_fails_later_tells_no_secret_either() {
        let folder = tempfile::tempdir().unwrap();
        // The first time its token has run out already: the next question asks it again.
        let script = "[ -e \"$0.once\" ] && { echo 'session expired' >&2; exit 1; }; : > \"$0.once\"; echo '{\
            \"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \
            \"status\": {\"token\": \"t\", \"expirationTimestamp\": \"2020-01-01T00:00:00Z\"}}'";
        let options = options(folder.path(), &plugin(folder.path(), script, "Never"));
        let cluster = Cluster::connect(&options, &Journal::default()).await.unwrap();
        let error = cluster.namespaces().await.unwrap_err();
        assert!(matches!(&error, Error::Plugin { why, .. } if why == "session expired"), "{error:?}");
    }

    #[test]
    fn nothing_of_this_host_is_behind_a_proxy() {
        let proxied = |proxy: &str, cluster: &str| {
            let rules = Matcher::builder().https(proxy).no("10.0.0.0/8, .corp.example").build();
            let proxy = through(Some(proxy.parse().unwrap()), &cluster.parse().unwrap(), &rules);
            proxy.map(|proxy| proxy.to_string())
        };
        assert_eq!(proxied("http://me:pw@proxy:3128", "https://k8s.example").unwrap(), "http://me:pw@proxy:3128/");
        assert_eq!(proxied("proxy:3128", "https://k8s.example:6443").unwrap(), "http://proxy:3128/");
        for direct in ["10.1.2.3:6443", "k8s.corp.example", "localhost:6443", "127.0.0.1:6443", "[::1]:6443"] {
            assert_eq!(proxied("http://proxy:3128", &format!("https://{direct}")), None, "{direct}");
        }
    }

    #[tokio::test]
    async fn a_proxy_that_is_of_no_use_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), &json!({"token": "t"}));
        let file = options.kubeconfig.as_ref().unwrap();
        let with = |proxy: &str| {
            let text = std::fs::read_to_string(file).unwrap();
            let mut config: Value = serde_json::from_str(&text).unwrap();
            config["clusters"][0]["cluster"]["proxy-url"] = proxy.into();
            std::fs::write(file, config.to_string()).unwrap();
        };
        with("socks5://me:hunter2@127.0.0.1:9");
        let error = Cluster::connect(&options, &Journal::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "no cluster can be chosen: the proxy before it speaks neither HTTP nor HTTPS");
        with("http://me:hunter2@127.0.0.1:9");
        let cluster = Cluster::connect(&options, &Journal::default()).await.unwrap();
        let error = cluster.namespaces().await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }) && !error.to_string().contains("hunter2"), "{error}");
    }
}
