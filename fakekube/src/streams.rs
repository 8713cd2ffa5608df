//! Exec and attach: the streams of a process, over a WebSocket.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use bollard::query_parameters::{AttachContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder};
use futures_util::{Stream, StreamExt as _};
use hyper::{Request, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::answer::{Answer, Refusal};
use crate::channel::{self, Frame, Gone, RESIZE, Receiver, STDERR, STDIN, STDOUT, Sender, V4, V5};
use crate::cluster::Cluster;
use crate::engine::words;
use crate::fault::Fault;
use crate::query::Query;
use crate::spdy;
use crate::store::Key;

/// How much of a process's output comes at once, in bytes.
const CHUNK: usize = 64 << 10;
/// What the engine prints in place of a command that it cannot start.
const NOT_STARTED: &[u8] = b"OCI runtime exec failed";

/// What is to be done with a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A new process in it.
    Exec,
    /// The one that it has.
    Attach,
}

/// The container that is meant.
///
/// # Errors
/// If it has to be named, or is not of this pod.
pub fn chosen(pod: &Value, query: &Query) -> Result<String, Refusal> {
    let names = |list: &str| -> Vec<String> {
        let all = pod["spec"][list].as_array().map_or(&[][..], Vec::as_slice);
        all.iter().filter_map(|container| container["name"].as_str()).map(str::to_owned).collect()
    };
    let (app, init, ephemeral) = (names("containers"), names("initContainers"), names("ephemeralContainers"));
    let pod = pod["metadata"]["name"].as_str().unwrap_or_default();
    match query.get("container") {
        Some(name) if app.iter().chain(&init).chain(&ephemeral).any(|known| known == name) => Ok(name.to_owned()),
        Some(name) => Err(Refusal::bad_request(format!("container {name} is not valid for pod {pod}"))),
        None if app.len() == 1 => Ok(app.concat()),
        None => {
            let mut words =
                format!("a container name must be specified for pod {pod}, choose one of: [{}]", app.join(" "));
            for (sort, names) in [("init", init), ("ephemeral", ephemeral)] {
                if !names.is_empty() {
                    let _ = write!(words, " or one of the {sort} containers: [{}]", names.join(" "));
                }
            }
            Err(Refusal::bad_request(words))
        }
    }
}

/// The engine's id of a container that runs.
///
/// # Errors
/// In the kubelet's words, if it does not.
pub async fn running(cluster: &Cluster, key: &Key, name: &str) -> Result<String, Refusal> {
    let broken = cluster.faults.has(&key.namespace, &key.name, name, Fault::PlainText500);
    let id = cluster.kubelet.container(key, name, false).filter(|_| !broken);
    if let Some(id) = id
        && cluster.engine.state(&id).await.running == Some(true)
    {
        return Ok(id);
    }
    Err(Refusal::Text(StatusCode::INTERNAL_SERVER_ERROR, format!("container not found (\"{name}\")")))
}

/// Agrees to carry the streams of a process, and does so.
///
/// # Errors
/// If the container is not there, or the question is not whole.
pub async fn open<B>(
    cluster: Arc<Cluster>,
    key: &Key,
    pod: &Value,
    query: Query,
    what: What,
    request: &mut Request<B>,
) -> Result<Answer, Refusal> {
    if !["stdin", "stdout", "stderr"].iter().any(|name| query.is_set(name)) {
        return Err(Refusal::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    if what == What::Exec && query.get("command").is_none() {
        return Err(Refusal::bad_request("you must specify at least one command for the container"));
    }
    let name = chosen(pod, &query)?;
    let id = running(&cluster, key, &name).await?;
    let old = cluster.faults.has(&key.namespace, &key.name, &name, Fault::V4Only);
    let known: &[&'static str] = if old { &[V4] } else { &[V5, V4] };
    let pick = |fault| if let Fault::Dropped(bytes) = fault { Some(bytes) } else { None };
    let breaks = cluster.faults.find(&key.namespace, &key.name, &name, pick);
    let place = key.clone();
    let carry = async move |query: Query, opened| {
        let until = |fault, wrong| cluster.faults.until(&place.namespace, &place.name, &name, fault, wrong);
        let mut carrying = std::pin::pin!(carry(&cluster, &id, &query, what, opened, breaks));
        let silent = tokio::select! {
            () = &mut carrying => false,
            () = until(Fault::Cut, true) => false,
            () = until(Fault::Silent, true) => true,
        };
        if silent {
            // Both ends are there, and neither is heard of.
            until(Fault::Silent, false).await;
        }
    };
    if channel::is_spdy_asked(request) {
        let (answer, upgraded) = channel::agree_to_spdy(request);
        tokio::spawn(async move {
            let opened = spdy::streams::open(upgraded, wanted(&query)).await;
            carry(query, opened).await;
        });
        return Ok(answer);
    }
    let (answer, pending) = channel::agree(request, known)?.part();
    tokio::spawn(async move {
        let mut opened = pending.open().await;
        // A WebSocket begins with a frame of nothing.
        if let Some((sender, _)) = &mut opened {
            let _ = sender.send(STDOUT, &[]).await;
        }
        carry(query, opened).await;
    });
    Ok(answer)
}

/// How many streams the client is going to open: one for the status, and one for each that it asks for.
fn wanted(query: &Query) -> usize {
    let tty = query.is_set("tty");
    let asked = [query.is_set("stdin"), query.is_set("stdout"), query.is_set("stderr") && !tty, tty];
    1 + asked.into_iter().filter(|&asked| asked).count()
}

async fn carry(
    cluster: &Cluster,
    id: &str,
    query: &Query,
    what: What,
    opened: Option<(Sender, Receiver)>,
    breaks: Option<u64>,
) {
    let Some((mut sender, receiver)) = opened else { return };
    sender.break_after(breaks);
    let begun = match what {
        What::Exec => exec(cluster, id, query).await,
        What::Attach => attach(cluster, id, query).await,
    };
    match begun {
        Ok(process) => process.run(sender, receiver).await,
        Err(error) => sender.end(&channel::not_started(&failed(&words(&error)))).await,
    }
}

fn failed(words: &str) -> String {
    format!("error executing command in container: failed to exec in container: {words}")
}

/// The streams of a process.
struct Process<'a> {
    cluster: &'a Cluster,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    input: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    /// The engine's id of the exec, or of the container.
    id: String,
    what: What,
}

async fn exec<'a>(cluster: &'a Cluster, id: &str, query: &Query) -> Result<Process<'a>, Error> {
    let stdin = query.is_set("stdin");
    let tty = query.is_set("tty");
    let options = CreateExecOptions {
        attach_stdin: Some(stdin),
        attach_stdout: Some(query.is_set("stdout")),
        attach_stderr: Some(query.is_set("stderr") && !tty),
        tty: Some(tty),
        cmd: Some(query.all("command").map(str::to_owned).collect()),
        ..CreateExecOptions::default()
    };
    let exec = cluster.engine.docker.create_exec(id, options).await?.id;
    let start = StartExecOptions { tty, output_capacity: Some(CHUNK), ..StartExecOptions::default() };
    match cluster.engine.docker.start_exec(&exec, Some(start)).await? {
        StartExecResults::Attached { output, input } => {
            Ok(Process { cluster, output, input: stdin.then_some(input), id: exec, what: What::Exec })
        }
        StartExecResults::Detached => Err(Error::UnsupportedURISchemeError { uri: "a detached exec".to_owned() }),
    }
}

async fn attach<'a>(cluster: &'a Cluster, id: &str, query: &Query) -> Result<Process<'a>, Error> {
    let (stdin, out, err) = (query.is_set("stdin"), query.is_set("stdout"), query.is_set("stderr"));
    let options = AttachContainerOptionsBuilder::default().stream(true).stdin(stdin).stdout(out).stderr(err).build();
    let attached = cluster.engine.docker.attach_container(id, Some(options)).await?;
    let input = stdin.then_some(attached.input);
    Ok(Process { cluster, output: attached.output, input, id: id.to_owned(), what: What::Attach })
}

impl Process<'_> {
    /// Carries its streams until it ends, or the client goes.
    async fn run(self, mut sender: Sender, receiver: Receiver) {
        let Self { cluster, mut output, input, id, what } = self;
        let down = async {
            let mut first = true;
            while let Some(Ok(part)) = output.next().await {
                let channel = if matches!(part, LogOutput::StdErr { .. }) { STDERR } else { STDOUT };
                let bytes = part.into_bytes();
                // In place of a command that it cannot start, the engine prints why.
                if first && what == What::Exec && bytes.starts_with(NOT_STARTED) {
                    let pid = cluster.engine.docker.inspect_exec(&id).await.ok().and_then(|exec| exec.pid);
                    if pid.unwrap_or(0) == 0 {
                        let reason = format!("failed to start exec: {}", String::from_utf8_lossy(&bytes).trim());
                        return Ok(channel::not_started(&failed(&reason)));
                    }
                }
                first = false;
                sender.send(channel, &bytes).await?;
            }
            // Attach never tells how a process ended.
            let status = match what {
                What::Exec => channel::ended(exit_code(cluster, &id).await),
                What::Attach => channel::success(),
            };
            Ok::<Value, Gone>(status)
        };
        let status = tokio::select! {
            status = down => status,
            () = feed(cluster, &id, what, input, receiver) => Err(Gone),
        };
        if let Ok(status) = status {
            sender.end(&status).await;
        }
    }
}

/// Carries what the client says to the process, until the client goes.
async fn feed(
    cluster: &Cluster,
    id: &str,
    what: What,
    mut input: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    mut receiver: Receiver,
) {
    while let Some(frame) = receiver.next().await {
        match frame {
            Frame::Data(STDIN, bytes) => {
                if let Some(input) = &mut input {
                    // A process that no longer reads may still print.
                    let _ = input.write_all(&bytes).await;
                    let _ = input.flush().await;
                }
            }
            Frame::End(STDIN) => {
                // Only the client of an exec ends the input of its process: that of a container stays open for others.
                if let (Some(mut input), What::Exec) = (input.take(), what) {
                    let _ = input.shutdown().await;
                }
            }
            Frame::Data(RESIZE, bytes) => resize(cluster, id, what, &bytes).await,
            Frame::Data(..) | Frame::End(_) => {}
        }
    }
}

async fn resize(cluster: &Cluster, id: &str, what: What, bytes: &[u8]) {
    let Ok(size) = serde_json::from_slice::<Value>(bytes) else { return };
    let of = |name: &str| size[name].as_u64().and_then(|many| u16::try_from(many).ok()).unwrap_or(0);
    let (width, height) = (of("Width"), of("Height"));
    if width == 0 || height == 0 {
        return;
    }
    // A process that has just ended has no terminal any more.
    let _ = match what {
        What::Exec => cluster.engine.docker.resize_exec(id, ResizeExecOptions { height, width }).await,
        What::Attach => {
            let options = ResizeContainerTTYOptionsBuilder::default().w(width.into()).h(height.into()).build();
            cluster.engine.docker.resize_container_tty(id, options).await
        }
    };
}

/// How an exec ended. The engine ends its streams a moment before it knows.
async fn exit_code(cluster: &Cluster, id: &str) -> i64 {
    use std::time::Duration;
    for _ in 0..200 {
        match cluster.engine.docker.inspect_exec(id).await {
            Ok(exec) if exec.running != Some(true) => return exec.exit_code.unwrap_or(0),
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(_) => break,
        }
    }
    137
}
