//! An engine reached by ssh, as the docker CLI reaches it: `docker system dial-stdio` over there carries the bytes.
//!
//! It is the user's own `ssh` that is run, with their keys, agent and configuration. It may not ask for anything: there is
//! a screen where it would ask.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Seconds that connecting may take.
const CONNECT: &str = "ConnectTimeout=10";
/// What it says of itself begins so.
pub const PREFIX: &str = "ssh: ";
/// Bytes of its complaint that are kept.
const MOST: usize = 4096;

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// `HOST` or `USER@HOST`.
    destination: String,
    port: Option<u16>,
    /// The engine's socket over there, if it is not the usual one.
    socket: Option<String>,
}

impl Ssh {
    /// Reads what stands behind `ssh://`: `[USER@]HOST[:PORT][/SOCKET]`. `None` if it is none, or could be taken for an
    /// option or for a command.
    pub fn parse(rest: &str) -> Option<Self> {
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (destination, port) = match authority.rsplit_once(':') {
            Some((destination, port)) => (destination, Some(port.parse().ok()?)),
            None => (authority, None),
        };
        let plain = |text: &str, more: &[char]| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(&c));
        let host = destination.rsplit('@').next()?;
        if host.is_empty() || destination.starts_with('-') || !plain(destination, &['@', '.', '-', '_']) {
            return None;
        }
        let socket = Some(path.trim_end_matches('/')).filter(|path| !path.is_empty());
        if socket.is_some_and(|path| !plain(path, &['/', '.', '-', '_'])) {
            return None;
        }
        Some(Self { destination: destination.to_owned(), port, socket: socket.map(str::to_owned) })
    }

    /// Starts `ssh`. Whether it gets through is seen when something is read.
    pub fn connect(&self) -> io::Result<Tunnel> {
        let mut command = Command::new("ssh");
        command.args(["-T", "-o", "BatchMode=yes", "-o", CONNECT]);
        if let Some(port) = self.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg("--").arg(&self.destination).arg("docker");
        if let Some(socket) = &self.socket {
            command.arg("--host").arg(format!("unix://{socket}"));
        }
        command.args(["system", "dial-stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Its own group: ^C is for us, who end it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other("there is no ssh on PATH"),
            _ => error,
        })?;
        let pipe = || io::Error::other("ssh has no pipe");
        Ok(Tunnel {
            input: child.stdin.take().ok_or_else(pipe)?,
            output: child.stdout.take().ok_or_else(pipe)?,
            errors: child.stderr.take().ok_or_else(pipe)?,
            complaint: Vec::new(),
            silent: true,
            _child: child,
        })
    }
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh://{}", self.destination)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// A connection through a running `ssh`, which ends with it.
pub struct Tunnel {
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    complaint: Vec<u8>,
    /// Nothing has come through yet.
    silent: bool,
    _child: Child,
}

impl Tunnel {
    /// Why nothing came: what ssh says of it.
    fn poll_complaint(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let mut bytes = [0; 512];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut self.errors).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() && self.complaint.len() < MOST => {
                    self.complaint.extend_from_slice(buffer.filled());
                }
                _ => break,
            }
        }
        let text = String::from_utf8_lossy(&self.complaint);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let why = lines.last().map_or("it ended without a word", |line| *line);
        Poll::Ready(io::Error::other(format!("{PREFIX}{why}")))
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.silent = false;
        } else if self.silent && buffer.remaining() > 0 {
            return Poll::Ready(Err(ready!(self.poll_complaint(cx))));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(cx, bytes)) {
            // It has ended. Why is said to whoever reads.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.silent => {
                Poll::Ready(Err(ready!(self.poll_complaint(cx))))
            }
            result => Poll::Ready(result),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for address in
            ["host", "me@host", "me@host:2222", "10.0.0.1:22", "me@host/run/podman/podman.sock", "h_1.example"]
        {
            assert_eq!(Ssh::parse(address).map(|ssh| ssh.to_string()), Some(format!("ssh://{address}")));
        }
        // An option, a command, and what is no address.
        for bad in
            ["", "me@", "-oProxyCommand=x", "host;reboot", "host:x", "host/a b", "host/$(x)", "a b", ":22", "host:-1"]
        {
            assert_eq!(Ssh::parse(bad), None, "{bad}");
        }
        assert_eq!(Ssh::parse("host/").map(|ssh| ssh.to_string()), Some("ssh://host".to_owned()));
    }

    #[tokio::test]
    async fn why_it_did_not_get_through_is_told() {
        use tokio::io::AsyncReadExt as _;
        // No such host: nothing is asked, nothing leaves this machine.
        let Ok(mut tunnel) = Ssh::parse("127.0.0.1:1").unwrap().connect() else { return };
        let error = tunnel.read(&mut [0; 16]).await.unwrap_err().to_string();
        assert!(error.starts_with("ssh: ") && error.contains("onnect"), "{error}");
    }
}
