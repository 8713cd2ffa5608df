//! Copying a file out to this host.

use std::fs::File;
use std::io::{Read as _, Write as _};

use tokio::sync::mpsc;

use super::session::Session;
use super::{caught, host_failure, save};
use crate::activity::Journal;
use crate::exit::Failure;
use crate::inspect;
use crate::shim::Bulk;
use crate::tui::message::{Msg, SaveError};

/// Bytes between two messages about the progress.
const STEP: u64 = 8 << 20;
/// Bytes copied in one go.
const CHUNK: usize = 1 << 20;

/// Copies one file. What was written of it stays away if that fails.
pub(super) async fn out(
    session: Session,
    journal: Journal,
    out: mpsc::Sender<Msg>,
    from: Vec<u8>,
    to: String,
    overwrite: bool,
) {
    let progress = out.clone();
    let result = match open(&session, &from).await {
        Err(failure) => Err(SaveError::Failed(failure)),
        Ok(bulk) => copy(bulk, journal, from, to, overwrite, progress).await,
    };
    let _ = out.send(Msg::CopiedOut(result)).await;
}

async fn open(session: &Session, from: &[u8]) -> Result<Bulk, Failure> {
    let inside = session.inside()?;
    let from = from.to_vec();
    caught(async move { inside.shim.bulk(&from).await.map_err(|error| inspect::error::Error::of(&from, error).into()) })
        .await
}

async fn copy(
    bulk: Bulk,
    journal: Journal,
    from: Vec<u8>,
    to: String,
    overwrite: bool,
    out: mpsc::Sender<Msg>,
) -> Result<u64, SaveError> {
    let path = to.clone();
    let create = tokio::task::spawn_blocking(move || save::create(&path, overwrite, &journal));
    let (file, step) = create.await.unwrap_or_else(|_| Err(SaveError::Exists))?;
    let written = match bulk {
        Bulk::File(source, _) => {
            let path = to.clone();
            let copy = tokio::task::spawn_blocking(move || between(source, file, &path, &out));
            copy.await.unwrap_or_else(|_| Err(Failure::new(crate::exit::Exit::No, "the copy was ended")))
        }
        Bulk::Stream(mut stream, _) => {
            let mut file = file;
            let mut written = 0;
            loop {
                match stream.next().await {
                    None => break Ok(written),
                    Some(Err(error)) => break Err(inspect::error::Error::of(&from, error).into()),
                    Some(Ok(chunk)) => {
                        if let Err(error) = file.write_all(&chunk) {
                            break Err(host_failure(&error, &to));
                        }
                        let before = written / STEP;
                        written += chunk.len() as u64;
                        if written / STEP > before {
                            let _ = out.send(Msg::Copying(written)).await;
                        }
                    }
                }
            }
        }
    };
    step.end(&written.as_ref().map_err(|failure| &failure.message));
    written.map_err(|failure| {
        // A part of a file is worse than none.
        let _ = std::fs::remove_file(&to);
        SaveError::Failed(failure)
    })
}

fn between(mut source: File, mut file: File, to: &str, out: &mpsc::Sender<Msg>) -> Result<u64, Failure> {
    let mut buffer = vec![0; CHUNK];
    let mut written: u64 = 0;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(host_failure(&error, "the file inside")),
        };
        file.write_all(buffer.get(..read).unwrap_or_default()).map_err(|error| host_failure(&error, to))?;
        let before = written / STEP;
        written += read as u64;
        // Nobody listens any more: the program ends, and must not wait for a large file.
        if written / STEP > before && out.blocking_send(Msg::Copying(written)).is_err() {
            return Ok(written);
        }
    }
}
