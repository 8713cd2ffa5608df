//! Makes a socket of what a program reads and writes at the end of a WebSocket.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::engine::kube::Exec;

/// How long the helper is given to end by itself before the connection is cut.
const GOODBYE: Duration = Duration::from_secs(2);

/// Carries bytes both ways until one side ends, or until it is `cut`, and then ends the other. If the helper failed by itself, the
/// cluster says why.
pub async fn run(socket: UnixStream, exec: Exec, cut: oneshot::Receiver<()>) -> Option<String> {
    let Exec { mut input, mut output, end, held } = exec;
    let (mut asked, mut answered) = socket.into_split();
    let down = async {
        let copied = tokio::io::copy(&mut output, &mut answered).await;
        // Whoever waits for an answer is told that none comes, before it is known why.
        let _ = answered.shutdown().await;
        copied
    };
    tokio::pin!(down);
    let ended: Option<io::Result<u64>> = tokio::select! {
        copied = &mut down => Some(copied),
        _ = tokio::io::copy(&mut asked, &mut input) => None,
        _ = cut => None,
    };
    let why = if ended.is_some() {
        tokio::time::timeout(GOODBYE, end).await.ok().flatten()
    } else {
        // Nobody asks any more. The helper ends with its input.
        let _ = input.shutdown().await;
        let _ = tokio::time::timeout(GOODBYE, down).await;
        None
    };
    // This cuts what is left of the connection.
    drop(held);
    why
}
