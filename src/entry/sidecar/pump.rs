//! Makes a socket of the engine's attach stream.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::activity::Made;
use crate::engine::docker::sidecar::{Output, Rest};

/// How long the end of the input is given to reach the helper before the connection is cut.
const GOODBYE: Duration = Duration::from_secs(1);

/// Carries bytes both ways until one side ends, and then ends the other. What was `made` for it is taken back by that.
pub async fn run(
    socket: UnixStream,
    output: Output,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    made: Made,
    rest: Option<Rest>,
) {
    if carry(socket, output, input).await {
        made.undone();
    }
    if let Some(rest) = rest {
        rest.remove().await;
    }
}

/// Whether the other side was seen to end.
async fn carry(socket: UnixStream, mut output: Output, mut input: Pin<Box<dyn AsyncWrite + Send>>) -> bool {
    let (mut asked, mut answered) = socket.into_split();
    let down = async {
        let mut asking = true;
        while let Some(piece) = output.next().await {
            // A connection that broke says nothing of the other side.
            let Ok(piece) = piece else { return false };
            // The helper has no other output than its answers.
            let (LogOutput::StdOut { message } | LogOutput::Console { message }) = piece else { continue };
            asking = asking && answered.write_all(&message).await.is_ok();
        }
        true
    };
    tokio::pin!(down);
    tokio::select! {
        ended = &mut down => return ended,
        _ = tokio::io::copy(&mut asked, &mut input) => {}
    }
    // Nobody asks any more. The helper ends with its input; its engine may take a moment to see that.
    let _ = input.shutdown().await;
    tokio::time::timeout(GOODBYE, down).await.unwrap_or(false)
}
