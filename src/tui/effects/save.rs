//! Writing a file on this host, off the loop.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::mpsc as blocking;

use tokio::sync::mpsc;

use super::host_failure;
use crate::activity::{Begun, Journal};
use crate::tui::message::{Msg, SaveError};

/// A file being written. Dropping it closes the file and tells how much was written.
pub(super) struct Writer(blocking::Sender<Vec<u8>>);

impl Writer {
    pub(super) fn open(path: String, overwrite: bool, journal: &Journal, out: mpsc::Sender<Msg>) -> Self {
        let (sender, chunks) = blocking::channel::<Vec<u8>>();
        let journal = journal.clone();
        tokio::task::spawn_blocking(move || write(&path, overwrite, &journal, &chunks, &out));
        Self(sender)
    }

    pub(super) fn write(&self, bytes: Vec<u8>) {
        // The other end is gone if the file could not be written; that was told.
        let _ = self.0.send(bytes);
    }
}

fn write(
    path: &str,
    overwrite: bool,
    journal: &Journal,
    chunks: &blocking::Receiver<Vec<u8>>,
    out: &mpsc::Sender<Msg>,
) {
    let opened = create(path, overwrite, journal);
    let told = opened.as_ref().map(|_| ()).map_err(Clone::clone);
    if out.blocking_send(Msg::SaveOpened(told)).is_err() {
        return;
    }
    let Ok((mut file, step)) = opened else { return };
    let mut written = 0;
    for chunk in chunks {
        if let Err(error) = file.write_all(&chunk) {
            step.end(&Err::<(), _>(&error));
            let _ = out.blocking_send(Msg::Saved(Err(host_failure(&error, path))));
            return;
        }
        written += chunk.len() as u64;
    }
    step.end(&Ok::<_, std::io::Error>(()));
    let _ = out.blocking_send(Msg::Saved(Ok(written)));
}

/// Makes a file, and begins the step of writing it. One that is there is replaced only if that was agreed to.
pub(super) fn create(path: &str, overwrite: bool, journal: &Journal) -> Result<(std::fs::File, Begun), SaveError> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let undo = if overwrite { "nobody: what was in it is gone" } else { "removing it" };
    let begin = || journal.begin(None, &format!("write {path} on this host"), Some(undo));
    match options.open(path) {
        Ok(file) => Ok((file, begin())),
        // Nothing was done: it is asked first.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(SaveError::Exists),
        Err(error) => {
            begin().end(&Err::<(), _>(&error));
            Err(SaveError::Failed(host_failure(&error, path)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_written_and_not_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log").to_str().unwrap().to_owned();
        let journal = Journal::default();
        for (overwrite, text) in [(false, "one"), (true, "two")] {
            let (out, mut messages) = mpsc::channel(4);
            let writer = Writer::open(path.clone(), overwrite, &journal, out);
            assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Ok(())))));
            writer.write(text.into());
            drop(writer);
            assert!(matches!(messages.recv().await, Some(Msg::Saved(Ok(3)))));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let (out, mut messages) = mpsc::channel(4);
        let _writer = Writer::open(path, false, &journal, out);
        assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Err(SaveError::Exists)))));
        let (out, mut messages) = mpsc::channel(4);
        let _writer = Writer::open("/nowhere/at/all".to_owned(), false, &journal, out);
        assert!(matches!(messages.recv().await, Some(Msg::SaveOpened(Err(SaveError::Failed(_))))));
        // What was only asked for is no step.
        let told = journal.lines();
        let [written, replaced, failed] = told.as_slice() else { panic!("{told:#?}") };
        assert!(written.starts_with("done: write ") && written.ends_with("(undone by: removing it)"), "{written}");
        assert!(replaced.ends_with("(undone by: nobody: what was in it is gone)"), "{replaced}");
        assert!(failed.starts_with("failed: write /nowhere/at/all on this host: No such file"), "{failed}");
    }
}
