//! Labels of goroutines (`runtime/pprof`): a list since Go 1.24, a map before.

use super::Labels;
use super::memory::{Memory, Range, word};
use crate::shim;
use crate::text::Untrusted;

/// The first release that has a list.
const LISTS: u32 = 24;
/// The most labels of a goroutine that are read.
const MOST: u64 = 64;
/// The longest key or value that is read, in bytes.
const LONGEST: u64 = 4096;
/// Sets of labels that are read at most: they are made for each request.
pub const MOST_SETS: usize = 10_000;
/// Bytes of a key and a value in a list: two strings.
const PAIR: usize = 32;
/// Where the logarithm of the number of buckets is in a map, and where they are (`runtime.hmap`, until Go 1.23).
const BITS: usize = 9;
const BUCKETS: usize = 16;
/// Bytes of a bucket of a `map[string]string`: eight marks, keys, values, and where it goes on.
const BUCKET: usize = 8 + 8 * 16 + 8 * 16 + 8;
/// Marks above this one are of pairs that are there (`runtime.minTopHash`).
const EMPTY: u8 = 4;

/// A string: where it is, and how long.
type Text = (u64, u64);

/// Reads sets of labels. One that cannot be read is empty.
pub fn read(memory: &mut impl Memory, minor: u32, sets: &[u64]) -> Result<Vec<Labels>, shim::Error> {
    let pairs = if minor >= LISTS { lists(memory, sets)? } else { maps(memory, sets)? };
    let ranges: Vec<_> =
        pairs.iter().flatten().flatten().map(|&(at, length)| Range { at, length: short(length) }).collect();
    let read = memory.read(&ranges)?;
    let mut next = 0;
    let mut text = || {
        next += 1;
        read.get(next - 1).map(Untrusted::from)
    };
    let mut sets = Vec::with_capacity(pairs.len());
    for set in &pairs {
        // Both are taken, whether or not they could be read: the next pair is behind them.
        let both = set.iter().map(|_| (text(), text())).collect::<Vec<_>>();
        let mut labels: Labels = both.into_iter().filter_map(|(key, value)| Some((key?, value?))).collect();
        labels.sort_unstable();
        sets.push(labels);
    }
    Ok(sets)
}

fn short(length: u64) -> u32 {
    u32::try_from(length.min(LONGEST)).unwrap_or_default()
}

fn text(bytes: &[u8], at: usize) -> Option<Text> {
    Some((word(bytes, at)?, word(bytes, at + 8)?))
}

fn lists(memory: &mut impl Memory, sets: &[u64]) -> Result<Vec<Vec<[Text; 2]>>, shim::Error> {
    let headers = memory.read(&sets.iter().map(|&at| Range { at, length: 16 }).collect::<Vec<_>>())?;
    let list = |index| {
        let (at, count) = headers.get(index).and_then(|bytes| text(bytes, 0)).unwrap_or_default();
        Range { at, length: u32::try_from(count.min(MOST)).unwrap_or_default() * 32 }
    };
    let ranges: Vec<_> = (0..sets.len()).map(list).collect();
    let read = memory.read(&ranges)?;
    let pairs = |index| {
        let pairs = read.get(index).unwrap_or_default().chunks_exact(PAIR);
        pairs.filter_map(|pair| Some([text(pair, 0)?, text(pair, 16)?])).collect()
    };
    Ok((0..sets.len()).map(pairs).collect())
}

fn maps(memory: &mut impl Memory, sets: &[u64]) -> Result<Vec<Vec<[Text; 2]>>, shim::Error> {
    let pointers = memory.read(&sets.iter().map(|&at| Range { at, length: 8 }).collect::<Vec<_>>())?;
    let pointer = |index| pointers.get(index).and_then(|bytes| word(bytes, 0)).unwrap_or_default();
    let heads =
        memory.read(&(0..sets.len()).map(|index| Range { at: pointer(index), length: 48 }).collect::<Vec<_>>())?;
    let buckets = |index| {
        let head = heads.get(index)?;
        let count = 1_u64 << (*head.get(BITS)?).min(3);
        Some(Range { at: word(head, BUCKETS)?, length: u32::try_from(count).ok()? * u32::try_from(BUCKET).ok()? })
    };
    let read = memory.read(&(0..sets.len()).map(|index| buckets(index).unwrap_or_default()).collect::<Vec<_>>())?;
    let pairs = |index| {
        let buckets = read.get(index).unwrap_or_default().chunks_exact(BUCKET);
        let of = |bucket: &[u8]| {
            let there = (0..8).filter(|&slot| bucket.get(slot).is_some_and(|&mark| mark > EMPTY));
            there
                .filter_map(|slot| Some([text(bucket, 8 + 16 * slot)?, text(bucket, 136 + 16 * slot)?]))
                .collect::<Vec<_>>()
        };
        buckets.flat_map(of).collect()
    };
    Ok((0..sets.len()).map(pairs).collect())
}
