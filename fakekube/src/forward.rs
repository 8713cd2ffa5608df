//! Port-forward: connections made from inside a pod's network, so that what listens on its loopback is reached.

pub mod tunnel;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdTcpStream};
use std::sync::Arc;
use std::time::Duration;

use hyper::{Request, StatusCode};
use nix::sched::{CloneFlags, setns};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, oneshot};

use crate::answer::{Answer, Refusal};
use crate::channel::{self, Frame, Pending, TUNNEL, V4};
use crate::cluster::Cluster;
use crate::fault::Fault;
use crate::query::Query;
use crate::store::Key;

/// How long a connection inside may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much goes into one frame, in bytes.
const CHUNK: usize = 32 << 10;
/// As many ports as one question may name.
const MOST_PORTS: usize = 100;

/// Agrees to forward the ports that are asked for.
///
/// # Errors
/// If none is, or the pod does not run.
pub fn open<B>(cluster: Arc<Cluster>, key: &Key, query: &Query, request: &mut Request<B>) -> Result<Answer, Refusal> {
    let Some(run) = cluster.kubelet.run(key) else {
        let words = "unable to forward port because pod is not running. Current status=Pending";
        return Err(Refusal::Text(StatusCode::INTERNAL_SERVER_ERROR, words.to_owned()));
    };
    let ports: Vec<u16> = query.all("ports").flat_map(|list| list.split(',')).flat_map(str::parse).collect();
    let (answer, pending) = channel::agree(request, &[TUNNEL, V4])?.part();
    if pending.protocol() == TUNNEL {
        tokio::spawn(tunnel::carry(cluster, run.pause, pending));
        return Ok(answer);
    }
    if ports.is_empty() || ports.len() > MOST_PORTS {
        return Err(Refusal::bad_request("query parameter \"ports\" is required"));
    }
    let pick = |fault| if let Fault::Dropped(bytes) = fault { Some(bytes) } else { None };
    let breaks = cluster.faults.find(&key.namespace, &key.name, "", pick);
    tokio::spawn(async move { carry(&cluster, &run.pause, &ports, pending, breaks).await });
    Ok(answer)
}

/// A connection from inside the network of a container.
///
/// # Errors
/// If the network cannot be entered, or nothing listens.
pub async fn connect(cluster: &Cluster, pause: &str, port: u16) -> io::Result<TcpStream> {
    let pid = cluster.engine.state(pause).await.pid.unwrap_or(0);
    if pid <= 0 {
        return Err(io::Error::other("the pod does not run"));
    }
    let (tell, told) = oneshot::channel();
    // A thread of its own: its network is another one from here on.
    std::thread::spawn(move || {
        let connected = File::open(format!("/proc/{pid}/ns/net")).and_then(|network| {
            setns(network, CloneFlags::CLONE_NEWNET)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let stream = StdTcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_nonblocking(true)?;
            Ok(stream)
        });
        let _ = tell.send(connected);
    });
    TcpStream::from_std(told.await.map_err(io::Error::other)??)
}

/// What the kubelet says where nothing listens.
#[must_use]
pub fn refused(pause: &str, port: u16, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("dial tcp4 127.0.0.1:{port}: connect: connection refused"),
        _ => error.to_string(),
    };
    format!(
        "an error occurred forwarding {port} -> {port}: error forwarding port {port} to pod {pause}, uid : failed to \
         execute portforward in network namespace: failed to connect to localhost:{port} inside namespace \"{pause}\", \
         IPv4: {why}"
    )
}

/// The channel of a port's bytes, and that of its errors.
fn channels(at: usize) -> (u8, u8) {
    let first = u8::try_from(at * 2).unwrap_or(u8::MAX - 1);
    (first, first + 1)
}

async fn carry(cluster: &Cluster, pause: &str, ports: &[u16], pending: Pending, breaks: Option<u64>) {
    let Some((mut sender, mut receiver)) = pending.open().await else { return };
    for (at, port) in ports.iter().enumerate() {
        let (data, error) = channels(at);
        if sender.send(data, &port.to_le_bytes()).await.is_err()
            || sender.send(error, &port.to_le_bytes()).await.is_err()
        {
            return;
        }
    }
    sender.break_after(breaks);
    let (tell, mut told) = mpsc::channel::<(u8, Vec<u8>)>(16);
    let mut inputs: Vec<Option<OwnedWriteHalf>> = Vec::new();
    for (at, &port) in ports.iter().enumerate() {
        let (data, error) = channels(at);
        match connect(cluster, pause, port).await {
            Ok(stream) => {
                let (mut output, input) = stream.into_split();
                inputs.push(Some(input));
                let tell = tell.clone();
                tokio::spawn(async move {
                    let mut bytes = vec![0; CHUNK];
                    while let Ok(length @ 1..) = output.read(&mut bytes).await {
                        if tell.send((data, bytes[..length].to_vec())).await.is_err() {
                            break;
                        }
                    }
                });
            }
            Err(problem) => {
                inputs.push(None);
                let _ = tell.send((error, refused(pause, port, &problem).into_bytes())).await;
            }
        }
    }
    // The connection ends when every port has.
    drop(tell);
    let down = async {
        while let Some((channel, bytes)) = told.recv().await {
            if sender.send(channel, &bytes).await.is_err() {
                return;
            }
        }
        sender.close().await;
    };
    let up = async {
        while let Some(frame) = receiver.next().await {
            if let Frame::Data(channel, bytes) = frame
                && let Some(Some(input)) = inputs.get_mut(usize::from(channel / 2))
            {
                let _ = input.write_all(&bytes).await;
            }
        }
    };
    tokio::select! {
        () = down => {}
        () = up => {}
    }
}
