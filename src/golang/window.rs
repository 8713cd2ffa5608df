//! Bytes that are somewhere else, fetched as they are looked at: of a program of a hundred megabytes a dump wants one.

use super::Error;

/// Bytes fetched at once.
const BLOCK: usize = 64 << 10;

/// Fetches bytes.
pub trait Fetch: Send {
    /// Fills `into` from `offset` on; the number of bytes there were.
    ///
    /// # Errors
    /// If whoever is asked does not answer.
    fn fetch(&mut self, offset: u64, into: &mut Vec<u8>, length: usize) -> Result<(), Error>;
}

/// Bytes of which those that were looked at are here.
pub struct Window {
    bytes: Vec<u8>,
    /// Of each block, how many of its bytes there are; `None` before it was fetched.
    blocks: Vec<Option<usize>>,
    fetch: Option<Box<dyn Fetch>>,
    failed: Option<Error>,
}

impl Window {
    /// So many bytes that are somewhere else. They take room here only once they are fetched.
    #[must_use]
    pub fn new(length: usize, fetch: Box<dyn Fetch>) -> Self {
        Self { bytes: vec![0; length], blocks: vec![None; length.div_ceil(BLOCK)], fetch: Some(fetch), failed: None }
    }

    /// Bytes that are all here.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { blocks: Vec::new(), bytes, fetch: None, failed: None }
    }

    /// So many bytes from `at` on; `None` if there are not that many.
    pub fn get(&mut self, at: usize, length: usize) -> Option<&[u8]> {
        let end = at.checked_add(length)?;
        if end > self.bytes.len() {
            return None;
        }
        if self.fetch.is_some() && length > 0 {
            for block in at / BLOCK..=(end - 1) / BLOCK {
                let start = block * BLOCK;
                if self.block(block)? < (end - start).min(BLOCK) {
                    return None;
                }
            }
        }
        self.bytes.get(at..end)
    }

    /// As many as there are from `at` on, at most `length`.
    pub fn up_to(&mut self, at: usize, length: usize) -> &[u8] {
        let most = length.min(self.bytes.len().saturating_sub(at));
        // The file may have become shorter than it said.
        let there = if self.get(at, most).is_some() { most } else { self.there(at, most) };
        self.bytes.get(at..at + there).unwrap_or_default()
    }

    /// Why the last bytes could not be had, if nobody answered.
    #[must_use]
    pub fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    fn there(&self, at: usize, most: usize) -> usize {
        let mut there = 0;
        while there < most {
            let (block, from) = ((at + there) / BLOCK, (at + there) % BLOCK);
            let have = self.blocks.get(block).copied().flatten().unwrap_or_default().saturating_sub(from);
            there = (there + have).min(most);
            if from + have < BLOCK {
                break;
            }
        }
        there
    }

    fn block(&mut self, block: usize) -> Option<usize> {
        if let Some(there) = self.blocks.get(block)? {
            return Some(*there);
        }
        let start = block * BLOCK;
        let length = BLOCK.min(self.bytes.len() - start);
        let mut fetched = Vec::new();
        if let Err(error) = self.fetch.as_mut()?.fetch(start as u64, &mut fetched, length) {
            self.failed = Some(error);
            return None;
        }
        fetched.truncate(length);
        self.bytes.get_mut(start..start + fetched.len())?.copy_from_slice(&fetched);
        *self.blocks.get_mut(block)? = Some(fetched.len());
        Some(fetched.len())
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let here = self.blocks.iter().flatten().count();
        f.debug_struct("Window").field("bytes", &self.bytes.len()).field("blocks_here", &here).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is asked, and has so many bytes.
    struct Counting(std::sync::mpsc::Sender<u64>, usize);

    impl Fetch for Counting {
        fn fetch(&mut self, offset: u64, into: &mut Vec<u8>, length: usize) -> Result<(), Error> {
            self.0.send(offset).unwrap();
            let start = usize::try_from(offset).unwrap();
            let end = (start + length).min(self.1);
            into.extend((start..end).map(|at| u8::try_from(at % 251).unwrap()));
            Ok(())
        }
    }

    #[test]
    fn only_what_is_looked_at_is_fetched() {
        let (to, asked) = std::sync::mpsc::channel();
        let size = 10 * BLOCK;
        let mut window = Window::new(size, Box::new(Counting(to, size)));
        let at = |place: usize| u8::try_from(place % 251).unwrap();
        assert_eq!(window.get(3 * BLOCK - 1, 2).unwrap(), [at(3 * BLOCK - 1), at(3 * BLOCK)]);
        assert!(window.get(3 * BLOCK + 7, 9).is_some());
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [2 * BLOCK as u64, 3 * BLOCK as u64]);
        assert_eq!(window.get(size, 1), None);
        assert_eq!(window.get(usize::MAX, 2), None);
        assert_eq!(window.get(size - 1, 1).map(<[u8]>::len), Some(1));
        assert_eq!(window.get(size, 0), Some(&[][..]));
    }

    #[test]
    fn a_file_that_became_shorter_has_fewer_bytes() {
        let (to, _asked) = std::sync::mpsc::channel();
        let mut window = Window::new(3 * BLOCK, Box::new(Counting(to, BLOCK + 10)));
        assert_eq!((window.get(BLOCK, 10).map(<[u8]>::len), window.get(BLOCK, 11)), (Some(10), None));
        assert_eq!(
            (window.up_to(BLOCK - 5, 100).len(), window.up_to(2 * BLOCK, 5).len(), window.up_to(9 * BLOCK, 5).len()),
            (15, 0, 0)
        );
        let mut whole = Window::whole(vec![1, 2, 3]);
        assert_eq!(whole.get(1, 2), Some(&[2, 3][..]));
        assert_eq!(whole.get(1, 3), None);
        assert_eq!(whole.up_to(2, 9), [3]);
    }
}
