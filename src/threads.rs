//! Where the threads of a process are, whatever its program was written in. Commands and screens share it.
//!
//! Without stopping it the kernel tells where those go on that wait. To know of all of them, and what is in their registers, they
//! are stopped for less than a millisecond: a core is taken, of registers alone.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::corefile::mapping::{self, Mapping};
use crate::corefile::read::registers::Register;
use crate::corefile::read::{self, Core};
use crate::golang::Inside;
use crate::inspect::process::MAX_MAPS;
use crate::inspect::threads::call::address;
use crate::inspect::{self, fetch, threads};
use crate::shim::Shim;
use crate::symbols::Symbols;
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// Files whose symbols are read at most: the program and its libraries.
const MOST_FILES: usize = 16;
/// The largest core of registers alone, in bytes: some ten thousand threads.
const LARGEST_CORE: u64 = 128 << 20;

/// The threads of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Threads {
    /// The process, as it is numbered inside.
    pub pid: ContainerPid,
    /// They, the first one of the process first.
    pub all: Vec<Thread>,
    /// What is where in its memory, by address. Empty if that is not told.
    pub mappings: Vec<Mapping>,
    /// How long it was stopped, if it was.
    pub stopped: Option<Duration>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thread {
    /// What the kernel tells of it while it runs.
    #[serde(flatten)]
    pub about: threads::Thread,
    /// Where it is; or goes on, if it is in a system call. `None`: it runs, and was not stopped.
    pub spot: Option<Spot>,
    /// All its registers, if it was stopped.
    #[serde(serialize_with = "by_name", skip_serializing_if = "Vec::is_empty")]
    pub registers: Vec<Register>,
}

/// Where a thread is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The address of its next instruction.
    #[serde(serialize_with = "address")]
    pub pc: u64,
    /// That of its stack.
    #[serde(serialize_with = "address")]
    pub sp: u64,
    /// The file that the instruction is of, or what else is there. `None`: that is not known.
    pub file: Option<Untrusted>,
    /// Where in that file it is, in bytes.
    pub file_offset: Option<u64>,
    /// The function, if the file has a table of symbols.
    pub function: Option<Untrusted>,
    /// How far behind its beginning, in bytes.
    pub function_offset: Option<u64>,
}

impl Spot {
    /// In words: `wait_with+0x5d, /app`; or `/app+0x28fb`.
    #[must_use]
    pub fn words(&self) -> String {
        let file = self.file.as_ref().map(|file| file.safe().into_string());
        match (&self.function, file, self.file_offset) {
            (Some(function), file, _) => {
                let distance = self.function_offset.unwrap_or_default();
                let file = file.map_or_else(String::new, |file| format!(", {file}"));
                format!("{}+{distance:#x}{file}", function.safe())
            }
            (None, Some(file), Some(offset)) => format!("{file}+{offset:#x}"),
            (None, Some(file), None) => file,
            (None, None, _) => "nothing that is known".to_owned(),
        }
    }
}

/// An object of names and values in hexadecimal: JSON's numbers are not exact above 2⁵³.
fn by_name<S: Serializer>(registers: &[Register], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(registers.len()))?;
    for register in registers {
        map.serialize_entry(&register.name, &register.hex())?;
    }
    map.end()
}

/// Looks at them without stopping any.
///
/// # Errors
/// If there is no such process, or its threads cannot be listed.
pub async fn running(shim: &Shim, pid: ContainerPid) -> Result<Threads, inspect::Error> {
    let all = threads::of(shim, pid).await?;
    let text = fetch::whole(shim, &fetch::proc_path(pid, "maps"), MAX_MAPS).await;
    let mappings = text.ok().and_then(|text| mapping::parse(&text).ok()).unwrap_or_default();
    let mut atlas = Atlas { shim, mappings: &mappings, files: HashMap::new() };
    let mut shown = Vec::with_capacity(all.len());
    for about in all {
        let spot = match &about.call {
            Some(call) => Some(atlas.spot(call.pc, call.sp).await),
            None => None,
        };
        shown.push(Thread { about, spot, registers: Vec::new() });
    }
    Ok(Threads { pid, all: shown, mappings, stopped: None })
}

/// The threads of a core that was just taken of a process, with what the kernel tells of them besides.
///
/// # Errors
/// If it is none.
pub async fn of_core(shim: &Shim, pid: ContainerPid, core: &[u8], stopped: Duration) -> Result<Threads, read::Error> {
    let Core { threads, mappings } = Core::parse(core)?;
    // What has ended since is in the core all the same.
    let about = threads::of(shim, pid).await.unwrap_or_default();
    let mut about: HashMap<_, _> = about.into_iter().map(|one| (one.tid, one)).collect();
    let mut atlas = Atlas { shim, mappings: &mappings, files: HashMap::new() };
    let mut shown = Vec::with_capacity(threads.len());
    for read::Thread { id, pc, sp, registers } in threads {
        let tid = ContainerPid(id);
        let about = about.remove(&tid).unwrap_or_else(|| unknown(tid));
        shown.push(Thread { about, spot: Some(atlas.spot(pc, sp).await), registers });
    }
    Ok(Threads { pid, all: shown, mappings, stopped: Some(stopped) })
}

/// What was written of such a core, from its beginning.
///
/// # Errors
/// As read(2).
pub fn contents(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(LARGEST_CORE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unknown(tid: ContainerPid) -> threads::Thread {
    let (name, state, cpu) = (Untrusted::default(), '?', Duration::ZERO);
    threads::Thread { tid, name, state, cpu, waits_in: None, call: None }
}

/// What is where, and the symbols of the files that were looked at.
struct Atlas<'a> {
    shim: &'a Shim,
    mappings: &'a [Mapping],
    files: HashMap<Vec<u8>, Symbols>,
}

impl Atlas<'_> {
    async fn spot(&mut self, pc: u64, sp: u64) -> Spot {
        let nowhere = Spot { pc, sp, file: None, file_offset: None, function: None, function_offset: None };
        let Some(mapping) = mapping::at(self.mappings, pc) else { return nowhere };
        if !mapping.is_of_file() {
            let file = (!mapping.name.is_empty()).then(|| mapping.name.as_slice().into());
            return Spot { file, ..nowhere };
        }
        let offset = mapping.offset.saturating_add(pc - mapping.start);
        let symbol = self.symbols(&mapping.name).await.and_then(|symbols| symbols.at(offset));
        let (function, function_offset) = symbol.map(|symbol| (symbol.name, symbol.distance)).unzip();
        let file = Some(mapping.name.as_slice().into());
        Spot { file, file_offset: Some(offset), function, function_offset, ..nowhere }
    }

    /// Those of a file, which is read once. One that cannot be read has none.
    async fn symbols(&mut self, path: &[u8]) -> Option<&Symbols> {
        if !self.files.contains_key(path) {
            if self.files.len() >= MOST_FILES {
                return None;
            }
            let file = Inside { shim: self.shim, path: path.to_owned() };
            let symbols = Symbols::read(&file).await.unwrap_or_default();
            self.files.insert(path.to_owned(), symbols);
        }
        self.files.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spots_in_words() {
        let spot = |file: Option<&str>, offset, function: Option<&str>| Spot {
            pc: 0x40_28fb,
            sp: 0,
            file: file.map(Untrusted::from),
            file_offset: offset,
            function: function.map(Untrusted::from),
            function_offset: function.map(|_| 0x5d),
        };
        assert_eq!(spot(Some("/app"), Some(0x28fb), Some("main\x1b")).words(), "main\\x1b+0x5d, /app");
        assert_eq!(spot(Some("/app"), Some(0x28fb), None).words(), "/app+0x28fb");
        assert_eq!((spot(Some("[vdso]"), None, None).words()), "[vdso]");
        assert_eq!((spot(None, None, None).words()), "nothing that is known");
    }
}
