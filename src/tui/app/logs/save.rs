//! Writing the lines shown to a file, in slices.

use super::{Logs, SLICE};

/// Bytes written in one go.
const CHUNK: usize = 256 * 1024;

/// A file being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// Its name on this host.
    pub path: String,
    next: u64,
    end: u64,
}

impl Logs {
    /// Begins to save what there is now.
    pub fn begin_save(&mut self, path: String) {
        let end = self.frozen.unwrap_or_else(|| self.end());
        self.save = Some(Save { path, next: self.first(), end });
    }

    /// The next bytes of the file, as they came from the container; `None` when all were given.
    /// Lines that were dropped meanwhile are missing, as they are on the screen.
    pub fn save_chunk(&mut self) -> Option<Vec<u8>> {
        let Save { path, next, end } = self.save.take()?;
        let mut next = next.max(self.first());
        if next >= end {
            return None;
        }
        let mut chunk = Vec::new();
        let mut budget = SLICE;
        while next < end && chunk.len() < CHUNK && budget > 0 {
            if self.passes(next)
                && let Some(line) = self.line(next)
            {
                chunk.extend_from_slice(line.text);
                chunk.push(b'\n');
            }
            next += 1;
            budget -= 1;
        }
        self.save = Some(Save { path, next, end });
        Some(chunk)
    }
}
