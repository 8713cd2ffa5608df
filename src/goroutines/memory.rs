//! The memory of a process that runs on meanwhile. Nothing is stopped and nothing changed: it is read, and may be different the
//! next moment.

use crate::shim::{self, Parts};
use crate::wire::Part;

/// Ranges with less than that between them are read as one, gaps included: a page costs as much as half of it.
const GAP: u64 = 2048;
/// The longest that is read as one, in bytes.
const LONGEST: u64 = 1 << 20;

/// Part of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// Its first address.
    pub at: u64,
    /// Bytes.
    pub length: u32,
}

/// What memory is read through.
pub trait Memory {
    /// Reads ranges, in any order.
    ///
    /// # Errors
    /// If whoever is asked does not answer. What cannot be read is no error: it is not in the answer.
    fn read(&mut self, ranges: &[Range]) -> Result<Read, shim::Error>;

    /// Reads one range; `None` if it cannot be read whole.
    ///
    /// # Errors
    /// As [`Memory::read`].
    fn one(&mut self, at: u64, length: u32) -> Result<Option<Vec<u8>>, shim::Error> {
        Ok(self.read(&[Range { at, length }])?.get(0).map(<[u8]>::to_vec))
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    bytes: Vec<u8>,
    /// Of each range, in the order they were asked for: where its bytes are, if all of them are there.
    places: Vec<Option<(usize, usize)>>,
}

impl Read {
    /// The bytes of a range; `None` if it could not be read whole.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (from, to) = (*self.places.get(index)?)?;
        self.bytes.get(from..to)
    }
}

impl Read {
    /// From ranges that were read each by itself.
    pub(super) fn of(ranges: impl Iterator<Item = Option<Vec<u8>>>) -> Self {
        let mut read = Self::default();
        for range in ranges {
            let from = read.bytes.len();
            read.bytes.extend(range.iter().flatten());
            let to = read.bytes.len();
            read.places.push(range.map(|_| (from, to)));
        }
        read
    }
}

impl Memory for Parts {
    fn read(&mut self, ranges: &[Range]) -> Result<Read, shim::Error> {
        let (parts, of) = merged(ranges);
        let mut bytes = Vec::new();
        let got = Parts::read(self, &parts, &mut bytes)?;
        let mut starts = Vec::with_capacity(parts.len());
        let mut start = 0;
        for part in &parts {
            starts.push(start);
            start += part.len as usize;
        }
        let place = |(range, &part): (&Range, &usize)| {
            let (whole, got, start) = (parts.get(part)?, *got.get(part)?, *starts.get(part)?);
            let from = usize::try_from(range.at.checked_sub(whole.offset)?).ok()?;
            let to = from.checked_add(range.length as usize)?;
            (to <= got as usize).then_some((start + from, start + to))
        };
        let places: Vec<_> = ranges.iter().zip(&of).map(place).collect();
        // What lies behind a hole is there after all, if it is asked for by itself.
        let missing: Vec<_> =
            (0..ranges.len()).filter(|&index| behind_a_hole(&places, &parts, &of, ranges, index)).collect();
        let mut read = Read { bytes, places };
        if !missing.is_empty() {
            let alone: Vec<_> =
                missing.iter().map(|&index| Part { offset: ranges[index].at, len: ranges[index].length }).collect();
            let mut more = Vec::new();
            let got = Parts::read(self, &alone, &mut more)?;
            let mut start = read.bytes.len();
            read.bytes.append(&mut more);
            for ((index, part), got) in missing.into_iter().zip(&alone).zip(got) {
                let end = start + part.len as usize;
                read.places[index] = (got == part.len).then_some((start, end));
                start = end;
            }
        }
        Ok(read)
    }
}

/// Whether a range was not read though it may be there: others were read with it as one.
fn behind_a_hole(
    places: &[Option<(usize, usize)>],
    parts: &[Part],
    of: &[usize],
    ranges: &[Range],
    index: usize,
) -> bool {
    places[index].is_none() && parts[of[index]].len != ranges[index].length
}

/// What is to be read for these ranges, and for each of them in which of it it lies.
pub(super) fn merged(ranges: &[Range]) -> (Vec<Part>, Vec<usize>) {
    let mut order: Vec<_> = (0..ranges.len()).collect();
    order.sort_unstable_by_key(|&index| ranges[index].at);
    let mut parts: Vec<Part> = Vec::with_capacity(ranges.len() / 4 + 1);
    let mut of = vec![0; ranges.len()];
    for index in order {
        let Range { at, length } = ranges[index];
        let end = at.saturating_add(length.into());
        let joined = parts.last_mut().filter(|last| {
            let last_end = last.offset.saturating_add(last.len.into());
            at <= last_end.saturating_add(GAP) && end.saturating_sub(last.offset) <= LONGEST
        });
        match joined {
            Some(last) => {
                let length = u32::try_from(end - last.offset).unwrap_or(last.len);
                last.len = last.len.max(length);
            }
            None => parts.push(Part { offset: at, len: length }),
        }
        of[index] = parts.len() - 1;
    }
    (parts, of)
}

/// A number of 64 bits in what was read.
#[must_use]
pub fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
