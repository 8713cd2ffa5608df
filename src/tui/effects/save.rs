//! Writing a file on this host, off the loop.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::mpsc as blocking;

use tokio::sync::mpsc;

use super::host_failure;
use crate::tui::message::{Msg, SaveError};

/// A file being written. Dropping it closes the file and tells how much was written.
pub(super) struct Writer(blocking::Sender<Vec<u8>>);

impl Writer {
    pub(super) fn open(path: String, overwrite: bool, out: mpsc::Sender<Msg>) -> Self {
        let (sender, chunks) = blocking::channel::<Vec<u8>>();
        tokio::task::spawn_blocking(move || write(&path, overwrite, &chunks, &out));
        Self(sender)
    }

    pub(super) fn write(&self, bytes: Vec<u8>) {
        // The other end is gone if the file could not be written; that was told.
        let _ = self.0.send(bytes);
    }
}

fn write(path: &str, overwrite: bool, chunks: &blocking::Receiver<Vec<u8>>, out: &mpsc::Sender<Msg>) {
    let opened = create(path, overwrite);
    let told = opened.as_ref().map(|_| ()).map_err(Clone::clone);
    if out.blocking_send(Msg::SaveOpened(told)).is_err() {
        return;
    }
    let Ok(mut file) = opened else { return };
    let mut written = 0;
    for chunk in chunks {
        if let Err(error) = file.write_all(&chunk) {
            let _ = out.blocking_send(Msg::Saved(Err(host_failure(&error, path))));
            return;
        }
        written += chunk.len() as u64;
    }
    let _ = out.blocking_send(Msg::Saved(Ok(written)));
}

/// Makes a file. One that is there is replaced only if that was agreed to.
pub(super) fn create(path: &str, overwrite: bool) -> Result<std::fs::File, SaveError> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => SaveError::Exists,
        _ => SaveError::Failed(host_failure(&error, path)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_written_and_not_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log").to_str().unwrap().to_owned();
        for (overwrite, text) in [(false, "one"), (true, "two")] {
            let (out, mut messages) = mpsc::channel(4);
            let writer = Writer::open(path.clone(), overwrite, out);
            assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Ok(())))));
            writer.write(text.into());
            drop(writer);
            assert!(matches!(messages.recv().await, Some(Msg::Saved(Ok(3)))));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let (out, mut messages) = mpsc::channel(4);
        let _writer = Writer::open(path, false, out);
        assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Err(SaveError::Exists)))));
        let (out, mut messages) = mpsc::channel(4);
        let _writer = Writer::open("/nowhere/at/all".to_owned(), false, out);
        assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Err(SaveError::Failed(_))))));
    }
}
