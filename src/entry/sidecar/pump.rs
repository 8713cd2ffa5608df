//! Makes a socket of the engine's attach stream.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::engine::docker::sidecar::{Output, Rest};

/// How long the end of the input is given to reach the helper before the connection is cut.
const GOODBYE: Duration = Duration::from_secs(1);

/// Carries bytes both ways until one side ends, and then ends the other.
pub async fn run(socket: UnixStream, output: Output, input: Pin<Box<dyn AsyncWrite + Send>>, rest: Option<Rest>) {
    carry(socket, output, input).await;
    if let Some(rest) = rest {
        rest.remove().await;
    }
}

async fn carry(socket: UnixStream, mut output: Output, mut input: Pin<Box<dyn AsyncWrite + Send>>) {
    let (mut asked, mut answered) = socket.into_split();
    let down = async {
        while let Some(Ok(piece)) = output.next().await {
            // The helper has no other output than its answers.
            let (LogOutput::StdOut { message } | LogOutput::Console { message }) = piece else { continue };
            if answered.write_all(&message).await.is_err() {
                break;
            }
        }
    };
    tokio::pin!(down);
    tokio::select! {
        () = &mut down => return,
        _ = tokio::io::copy(&mut asked, &mut input) => {}
    }
    // Nobody asks any more. The helper ends with its input; its engine may take a moment to see that.
    let _ = input.shutdown().await;
    let _ = tokio::time::timeout(GOODBYE, down).await;
}
