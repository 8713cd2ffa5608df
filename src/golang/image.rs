//! A program's file by the addresses that its linker gave it.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use object::elf::{EM_AARCH64, EM_X86_64, ET_EXEC, PF_W, PF_X, PT_LOAD, SHF_COMPRESSED};

use super::outline::{self, Outline};
use super::window::Window;
use super::{Error, Ranges};

/// A processor that Go programs are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// x86_64: a call puts the return address on the stack.
    Amd64,
    /// aarch64: a call puts it into a register.
    Arm64,
}

/// Addresses of a program, as its linker gave them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The first.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    /// Where in the file it is.
    offset: u64,
    /// Whether the linker packed it (`SHF_COMPRESSED`).
    packed: bool,
}

/// A part of the file that is put into memory (elf(5), `PT_LOAD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its first address.
    pub address: u64,
    /// Where in the file it is.
    pub offset: u64,
    /// Bytes of the file; what is in memory behind these is zero at first.
    pub size: u64,
    /// Bytes in memory.
    pub memory: u64,
    /// Whether the program may write there.
    pub writable: bool,
    /// Whether it is code.
    pub executable: bool,
}

impl From<&outline::Section> for Section {
    fn from(section: &outline::Section) -> Self {
        let outline::Range { offset, size } = section.range;
        Self { address: section.address, size, offset, packed: section.flags & u64::from(SHF_COMPRESSED) != 0 }
    }
}

impl From<&outline::Segment> for Segment {
    fn from(segment: &outline::Segment) -> Self {
        let outline::Range { offset, size } = segment.range;
        Self {
            address: segment.address,
            offset,
            size,
            memory: segment.memory,
            writable: segment.flags & PF_W != 0,
            executable: segment.flags & PF_X != 0,
        }
    }
}

/// What reads parts of a file reads those of a window.
impl Ranges for Mutex<Window> {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut window = self.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = window.up_to(usize::try_from(offset).unwrap_or(usize::MAX), length).to_vec();
        window.failed().map_or(Ok(bytes), |error| Err(error.clone()))
    }
}

/// A program's file.
#[derive(Debug)]
pub struct Image {
    window: Window,
    sections: Vec<(Vec<u8>, Section)>,
    /// What of it is put into memory.
    pub segments: Vec<Segment>,
    /// Where the program begins to run.
    pub entry: u64,
    /// What it runs on.
    pub processor: Processor,
    /// Whether it is always put where its linker said (`ET_EXEC`).
    pub fixed: bool,
}

impl Image {
    /// Reads its tables.
    ///
    /// # Errors
    /// [`Error::NotElf`], [`Error::Malformed`], [`Error::Processor`], or what kept the file from being read.
    pub fn new(window: Window) -> Result<Self, Error> {
        let window = Mutex::new(window);
        // A window waits for nothing.
        let outline = outline::read(&window).now_or_never().unwrap_or(Err(Error::NotElf))?;
        let processor = match outline.machine {
            EM_X86_64 if outline.is_64 && outline.is_little => Processor::Amd64,
            EM_AARCH64 if outline.is_64 && outline.is_little => Processor::Arm64,
            _ => return Err(Error::Processor),
        };
        let loaded = outline.segments.iter().filter(|one| one.kind == PT_LOAD);
        let segments: Vec<Segment> = loaded.map(Segment::from).collect();
        if segments.is_empty() {
            return Err(Error::Malformed("program header"));
        }
        let Outline { sections, entry, kind, .. } = outline;
        let sections = sections.iter().map(|one| (one.name.clone(), Section::from(one))).collect();
        let window = window.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { sections, segments, entry, processor, fixed: kind == ET_EXEC, window })
    }

    /// Bytes that stand for a program that begins at an address. For tests of what reads one.
    #[must_use]
    pub fn of_bytes(address: u64, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        let segment = Segment { address, offset: 0, size, memory: size, writable: false, executable: false };
        Self {
            window: Window::whole(bytes),
            sections: Vec::new(),
            segments: vec![segment],
            entry: address,
            processor: Processor::Amd64,
            fixed: true,
        }
    }

    /// A section by one of its names.
    #[must_use]
    pub fn section(&self, names: &[&[u8]]) -> Option<Section> {
        let found = self.sections.iter().find(|(name, section)| names.contains(&name.as_slice()) && section.size > 0);
        found.map(|(_, section)| *section)
    }

    /// What is in a section of the file, as it is there, and whether the linker packed it. `None` if there is none of that name,
    /// or it has more bytes than that.
    pub fn contents(&mut self, name: &[u8], longest: usize) -> Option<(&[u8], bool)> {
        let Section { offset, size, packed, .. } = self.section(&[name])?;
        let length = usize::try_from(size).ok().filter(|&length| length <= longest)?;
        Some((self.window.get(usize::try_from(offset).ok()?, length)?, packed))
    }

    /// So many bytes from an address on.
    pub fn at(&mut self, address: u64, length: usize) -> Option<&[u8]> {
        let offset = self.offset(address, length as u64)?;
        self.window.get(offset, length)
    }

    /// As many as its segment has in the file from an address on, at most `length`.
    pub fn up_to(&mut self, address: u64, length: usize) -> &[u8] {
        let Some(segment) =
            self.segments.iter().find(|of| address.checked_sub(of.address).is_some_and(|at| at < of.size))
        else {
            return &[];
        };
        let left = segment.size - (address - segment.address);
        let offset = segment.offset.saturating_add(address - segment.address);
        let length = usize::try_from(left).unwrap_or(length).min(length);
        self.window.up_to(usize::try_from(offset).unwrap_or(usize::MAX), length)
    }

    /// A number of 32 bits.
    pub fn u32(&mut self, address: u64) -> Option<u32> {
        self.at(address, 4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// The text up to a zero byte, at most so many bytes of it.
    pub fn text(&mut self, address: u64, longest: usize) -> Option<Vec<u8>> {
        let mut length = 256.min(longest);
        loop {
            let bytes = self.up_to(address, length);
            match memchr::memchr(0, bytes) {
                Some(end) => return Some(bytes[..end].to_vec()),
                None if bytes.len() < length || length == longest => {
                    return (!bytes.is_empty()).then(|| bytes.to_vec());
                }
                None => length = (length * 4).min(longest),
            }
        }
    }

    fn offset(&self, address: u64, length: u64) -> Option<usize> {
        let inside = |of: &&Segment| {
            address.checked_sub(of.address).is_some_and(|at| at.checked_add(length).is_some_and(|end| end <= of.size))
        };
        let segment = self.segments.iter().find(inside)?;
        usize::try_from(segment.offset.checked_add(address - segment.address)?).ok()
    }
}

/// Parses arbitrary bytes. For fuzzing: must not panic.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(mut image) = Image::new(Window::whole(bytes.to_vec())) {
        let _ = image.section(&[b".gopclntab"]);
        let _ = super::layout::dwarf::read(&mut image, 99);
        let _ = (image.at(image.entry, 16).is_some(), image.up_to(image.entry, 16).len(), image.text(image.entry, 64));
    }
}
