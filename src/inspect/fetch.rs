//! Bounded reads of the target's small files, and the words parsers share.

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::wire::MAX_STREAMS;

/// Requests of one reading that are under way at once.
pub const IN_FLIGHT: usize = 64;

/// A shim refuses more than [`MAX_STREAMS`] streams at once. All readings together keep below that, and leave some to
/// whoever copies or follows files meanwhile.
static STREAMS: Semaphore = Semaphore::const_new(MAX_STREAMS - 8);

/// Waits until a reading may open one more stream. To be held until the stream is dropped, and not while waiting for
/// another.
pub async fn slot() -> Option<SemaphorePermit<'static>> {
    // It is never closed.
    STREAMS.acquire().await.ok()
}

/// The path of a file of a process.
#[must_use]
pub fn proc_path(pid: ContainerPid, name: &str) -> Vec<u8> {
    format!("/proc/{pid}/{name}").into_bytes()
}

/// The first `max` bytes of a file, and whether there are more. For files that may be larger than is wanted.
///
/// # Errors
/// As [`Shim::read_range`].
pub async fn prefix(shim: &Shim, path: &[u8], max: u64) -> Result<(Vec<u8>, bool), Error> {
    let mut bytes = range(shim, path, 0, max.saturating_add(1)).await?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let more = bytes.len() > max;
    bytes.truncate(max);
    Ok((bytes, more))
}

/// A whole small file; [`Error::TooLarge`] above `max` bytes.
///
/// # Errors
/// As [`Shim::read`].
pub async fn whole(shim: &Shim, path: &[u8], max: u64) -> Result<Vec<u8>, Error> {
    let _slot = slot().await;
    shim.read(path, max).await
}

/// The names in a directory that are decimal numbers, sorted, at most `most`.
///
/// # Errors
/// As [`Shim::list`].
pub async fn numbers(shim: &Shim, path: &[u8], most: usize) -> Result<Vec<i32>, Error> {
    let _slot = slot().await;
    let mut numbers: Vec<i32> = Vec::new();
    let mut stream = shim.list(path, false);
    while let Some(batch) = stream.next().await {
        numbers.extend(batch?.iter().filter_map(|entry| decimal::<i32>(&entry.name)));
        if numbers.len() >= most {
            break;
        }
    }
    numbers.truncate(most);
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// At most `len` bytes of a file from `offset` on.
///
/// # Errors
/// As [`Shim::read_range`].
pub async fn range(shim: &Shim, path: &[u8], offset: u64, len: u64) -> Result<Vec<u8>, Error> {
    let _slot = slot().await;
    let mut stream = shim.read_range(path, offset, len);
    let mut bytes = Vec::new();
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() >= len {
            bytes.truncate(len);
            break;
        }
    }
    Ok(bytes)
}

/// Does something for each item, [`IN_FLIGHT`] at once, and gives the results in the items' order.
pub async fn each<T, R, F: Future<Output = R>>(items: impl IntoIterator<Item = T>, work: impl Fn(T) -> F) -> Vec<R> {
    stream::iter(items.into_iter().map(work)).buffered(IN_FLIGHT).collect().await
}

/// The lines of a text, without their ends; a last line without an end counts.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// The words of a line.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A number in a base, of a whole word without a sign.
#[must_use]
pub fn number(word: &[u8], base: u32) -> Option<u64> {
    u64::from_str_radix(unsigned(word)?, base).ok()
}

/// Rust's parsers take a `+`, which nothing here writes.
fn unsigned(word: &[u8]) -> Option<&str> {
    std::str::from_utf8(word).ok().filter(|word| !word.starts_with('+'))
}

/// A decimal number of any type.
#[must_use]
pub fn decimal<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    unsigned(word)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_apart() {
        assert_eq!(lines(b"a\n\nb").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(words(b" a \t b ").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!((number(b"ff", 16), number(b"", 16), number(b"+1", 16)), (Some(255), None, None));
        assert_eq!((decimal::<i32>(b"-1"), decimal::<u8>(b"256")), (Some(-1), None));
    }
}
