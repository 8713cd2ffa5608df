//! Makes a socket of what a program reads and writes at the end of a WebSocket.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::engine::kube::{Exec, holding};

/// How long the helper is given to end by itself before the connection is cut.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a program may take that only says something.
pub const ANSWER: Duration = Duration::from_secs(15);

/// Carries bytes both ways until one side ends, or until it is `cut`, and then ends the other. If the helper failed by itself, the
/// cluster says why.
pub async fn run(socket: UnixStream, exec: Exec, cut: oneshot::Receiver<()>) -> Option<String> {
    let Exec { mut input, mut output, mut end, held } = exec;
    let (mut asked, mut answered) = socket.into_split();
    let down = async {
        let copied = tokio::io::copy(&mut output, &mut answered).await;
        // Whoever waits for an answer is told that none comes, before it is known why.
        let _ = answered.shutdown().await;
        copied
    };
    tokio::pin!(down);
    let why = tokio::select! {
        _ = &mut down => tokio::time::timeout(GOODBYE, end).await.ok().flatten(),
        // What came before it may still be on its way. A connection that breaks ends here alone: the crate then leaves what
        // is read open (kube 5.0).
        why = &mut end => {
            let _ = tokio::time::timeout(GOODBYE, down).await;
            why
        }
        () = async {
            tokio::select! {
                _ = tokio::io::copy(&mut asked, &mut input) => {}
                _ = cut => {}
                () = holding::told_to_end() => {}
            }
        } => {
            // Nobody asks any more. The helper ends with its input.
            let _ = input.shutdown().await;
            let _ = tokio::time::timeout(GOODBYE, down).await;
            None
        }
    };
    // This cuts what is left of the connection.
    drop(held);
    why
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

    use super::*;

    type End = std::pin::Pin<Box<dyn Future<Output = Option<String>> + Send>>;

    /// A program: what it reads, and what it writes.
    fn program(end: End) -> (Exec, DuplexStream, DuplexStream) {
        let ((input, reads), (output, writes)) = (duplex(64), duplex(64));
        let held = Box::new(());
        (Exec { input: Box::new(input), output: Box::new(output), end, held }, reads, writes)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_go_both_ways_and_the_end_of_one_side_ends_the_other() {
        let (exec, mut reads, mut writes) = program(Box::pin(pending()));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (_cut, is_cut) = oneshot::channel();
        let pump = tokio::spawn(run(theirs, exec, is_cut));
        ours.write_all(b"ask").await.unwrap();
        let mut bytes = [0; 3];
        reads.read_exact(&mut bytes).await.unwrap();
        writes.write_all(b"yes").await.unwrap();
        ours.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"yes");
        drop(ours);
        assert_eq!(reads.read(&mut bytes).await.unwrap(), 0);
        drop(writes);
        assert_eq!(pump.await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn why_it_failed_comes_with_its_end() {
        let (exec, _reads, mut writes) = program(Box::pin(ready(Some("no such file".to_owned()))));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (_cut, is_cut) = oneshot::channel();
        writes.write_all(b"last").await.unwrap();
        drop(writes);
        assert_eq!(run(theirs, exec, is_cut).await.as_deref(), Some("no such file"));
        let mut all = Vec::new();
        ours.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"last");
    }

    /// Its output stays open, as the crate leaves it.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_breaks_is_no_silence() {
        let (exec, _reads, _writes) = program(Box::pin(ready(None)));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (_cut, is_cut) = oneshot::channel();
        assert_eq!(run(theirs, exec, is_cut).await, None);
        assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_answer_is_cut() {
        let (exec, _reads, _writes) = program(Box::pin(pending()));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (cut, is_cut) = oneshot::channel();
        cut.send(()).unwrap();
        assert_eq!(run(theirs, exec, is_cut).await, None);
        assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
    }
}
