//! Ports of a pod, which its kubelet connects to from inside its network. Nothing is added to the pod for that.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::{Error, missing_of};
use crate::engine::kube::{self, Channel, Cluster, Pod, Right};
use crate::entry::{Access, Via};

/// How long an answer may still come, from one piece to the next, after our side has said all. What carries the bytes has no word for
/// that, so that the other side does not hear of it.
const QUIET: Duration = Duration::from_secs(10);
/// How often is asked whether there still is the pod.
const AGAIN: Duration = Duration::from_secs(5);
/// In the kubelet's words, and in those of container runtimes.
const REFUSED: &str = "connection refused";

/// The ports of one pod. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ports {
    cluster: Cluster,
    pod: Pod,
}

impl Ports {
    /// Sees to it that they may be reached. Nothing is connected yet.
    pub(in crate::entry) async fn of(cluster: &Cluster, pod: &Pod, access: &Access) -> Result<Self, Error> {
        if access.via != Via::Auto {
            return Err(Error::OtherDoor { name: pod.container.name.clone() });
        }
        // Before Kubernetes 1.35 `create` is not asked for: whether it is, is seen then.
        let missing = missing_of(cluster, pod, [Right::FORWARD_GET]).await;
        if !missing.is_empty() {
            return Err(Error::Rights { namespace: pod.namespace.clone(), missing });
        }
        Ok(Self { cluster: cluster.clone(), pod: pod.clone() })
    }

    /// Connects to one. That nobody listens there is told when something is read.
    ///
    /// # Errors
    /// If the cluster does not let us, or does not answer.
    pub async fn connect(&self, port: u16) -> Result<PodLink, Error> {
        match self.cluster.forward(&self.pod, port).await {
            Ok(channel) => Ok(PodLink { channel, all_said: None, closing: false }),
            Err(kube::Error::Refused { status: 403, message, .. }) => {
                Err(Error::Right { what: "forward ports of the pod", message })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Ports that the pod tells of.
    #[must_use]
    pub fn told(&self) -> Vec<u16> {
        let ports = self.pod.container.ports.iter().filter(|port| port.protocol == "tcp");
        ports.map(|port| port.container_port).collect()
    }

    /// Returns when there is no such pod any more, with what became of it. Another run of its container in the same pod is no end.
    pub async fn gone(&self) -> String {
        loop {
            tokio::time::sleep(AGAIN).await;
            if let Some(why) = self.end().await {
                return why;
            }
        }
    }

    /// What became of the pod, if it is no more. A cluster that does not answer says nothing of it.
    pub async fn end(&self) -> Option<String> {
        match self.cluster.again(&self.pod).await {
            Err(kube::Error::NotFound { .. }) => Some("its pod is gone".to_owned()),
            Ok(now) if now.uid != self.pod.uid => Some("its pod was replaced by another of the same name".to_owned()),
            Ok(now) if now.over => Some(now.trouble.unwrap_or_else(|| "its pod is over".to_owned())),
            Ok(_) | Err(_) => None,
        }
    }
}

/// A connection to a port of a pod.
pub struct PodLink {
    channel: Channel,
    /// From when on nothing more is sent by our side: how long the other one may be quiet.
    all_said: Option<Pin<Box<Sleep>>>,
    /// It was quiet for so long: the stream is ended, and what carries it still sends what it has.
    closing: bool,
}

impl AsyncRead for PodLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.channel.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() > before || buf.capacity() == before => {
                if let Some(quiet) = &mut this.all_said {
                    quiet.as_mut().reset(Instant::now() + QUIET);
                }
                Poll::Ready(Ok(()))
            }
            // An end. If it is none that the other side made, that is known by now.
            Poll::Ready(Ok(())) => Poll::Ready(match this.channel.end.as_mut().poll(cx) {
                Poll::Pending => Ok(()),
                Poll::Ready(None) if this.closing => Ok(()),
                Poll::Ready(Some(words)) if words.contains(REFUSED) => {
                    Err(io::Error::new(io::ErrorKind::ConnectionRefused, words))
                }
                Poll::Ready(Some(words)) => Err(io::Error::other(words)),
                Poll::Ready(None) => Err(io::Error::other("the connection to the cluster broke")),
            }),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match &mut this.all_said {
                Some(quiet) if !this.closing => {
                    ready!(quiet.as_mut().poll(cx));
                    this.closing = true;
                    // Its end comes when all that our side has said was sent.
                    ready!(Pin::new(&mut this.channel.stream).poll_shutdown(cx))?;
                    self.poll_read(cx, buf)
                }
                _ => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for PodLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.channel.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel.stream).poll_flush(cx)
    }

    /// The stream stays open: to end it would end the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.all_said.get_or_insert_with(|| Box::pin(tokio::time::sleep(QUIET)));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A connection, and its other side.
    fn link() -> (PodLink, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let channel = Channel { stream: Box::new(ours), end: Box::pin(async { None }), held: Box::new(()) };
        (PodLink { channel, all_said: None, closing: false }, theirs)
    }

    /// Who does not read for long has lost nothing.
    #[tokio::test(start_paused = true)]
    async fn what_was_said_is_sent_before_it_is_over() {
        let (mut link, mut pod) = link();
        link.write_all(&[7; 5000]).await.unwrap();
        link.shutdown().await.unwrap();
        let (mut rest, mut came) = (Vec::new(), Vec::new());
        let slow = async {
            tokio::time::sleep(QUIET * 3).await;
            pod.read_to_end(&mut came).await.unwrap();
            drop(pod);
            came.len()
        };
        let (over, sent) = tokio::join!(link.read_to_end(&mut rest), slow);
        assert_eq!((over.unwrap(), sent), (0, 5000));
    }

    /// An answer that comes from time to time is one.
    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time() {
        let (mut link, mut pod) = link();
        link.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let slow = async {
            for _ in 0..5 {
                tokio::time::sleep(QUIET / 2).await;
                pod.write_all(b"x").await.unwrap();
            }
            // Then it is asked to end, and does.
            pod.read_to_end(&mut Vec::new()).await.unwrap();
            drop(pod);
        };
        let (over, ()) = tokio::join!(link.read_to_end(&mut answer), slow);
        assert_eq!(over.unwrap(), 5);
    }
}
