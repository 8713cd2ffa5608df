//! `cat`: the bytes of a file.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Seek as _, SeekFrom, Write};
use std::os::fd::AsFd as _;

use super::{Context, output, words};
use crate::cli::Cat;
use crate::exit::{Exit, Failure};
use crate::inspect::Error;
use crate::inspect::files::content::whole;
use crate::shim::{Bulk, DataStream, Shim};
use crate::text;

/// How much is read at once where bytes have to be looked at.
const CHUNK: usize = 256 << 10;

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, or the file not read.
pub async fn run(context: &Context, args: &Cat) -> Result<(), Failure> {
    if context.global.json {
        return Err(Failure::new(Exit::Usage, "cat prints bytes, it has no JSON")
            .try_this("for what is known of a file, ask: scratchdbg ls -d --json TARGET:PATH"));
    }
    let (_, entered) = context.enter(&args.place.target).await?;
    print(&entered.shim, &args.place.path, args.offset, args.bytes).await
}

/// Prints a file, escaped if standard output is a terminal.
///
/// # Errors
/// If it cannot be read, or is not a regular file.
pub async fn print(shim: &Shim, path: &[u8], offset: u64, most: Option<u64>) -> Result<(), Failure> {
    let most = most.unwrap_or(u64::MAX);
    let stdout = stdout()?;
    let terminal = stdout.is_terminal();
    let bulk = shim.bulk(path).await.map_err(|error| Error::of(path, error))?;
    match bulk {
        Bulk::File(mut file, _) => {
            let copied = tokio::task::spawn_blocking(move || {
                if offset > 0 {
                    file.seek(SeekFrom::Start(offset)).map_err(Broken::Reading)?;
                }
                copy(&mut file.take(most), stdout, terminal)
            });
            match copied.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.on(path)),
                Err(error) => Err(Failure::new(Exit::No, format!("cannot read: {error}"))),
            }
        }
        Bulk::Stream(_, _) => pass_on(shim.read_range(path, offset, most), stdout, terminal, path).await,
    }
}

/// Standard output without a buffer of its own.
fn stdout() -> Result<File, Failure> {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(|error| output::failure(&error))?;
    Ok(File::from(stdout))
}

async fn pass_on(mut stream: DataStream, stdout: File, terminal: bool, path: &[u8]) -> Result<(), Failure> {
    let mut printer = Printer { out: stdout, terminal, rest: Vec::new() };
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Error::of(path, error))?;
        printer.write(&chunk).map_err(|error| output::failure(&error))?;
    }
    printer.end().map_err(|error| output::failure(&error))
}

/// Which side of a copy failed.
enum Broken {
    Reading(io::Error),
    Writing(io::Error),
}

impl Broken {
    fn on(&self, path: &[u8]) -> Failure {
        match self {
            Self::Reading(error) => Failure::new(
                Exit::No,
                format!("cannot read {} in the target: {}", text::escape(path), words::reason(error)),
            ),
            Self::Writing(error) => output::failure(error),
        }
    }
}

/// Copies to the end. A file that has no more to give for now (`EAGAIN`, as `/proc/kmsg`) ends there.
fn copy(file: &mut io::Take<File>, stdout: File, terminal: bool) -> Result<(), Broken> {
    if !terminal {
        // The kernel moves the bytes where it can. Of an error it cannot be told which side it was; a closed pipe can.
        let mut stdout = stdout;
        return match io::copy(file, &mut stdout) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Broken::Writing(error)),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(Broken::Reading(error)),
            _ => Ok(()),
        };
    }
    let mut printer = Printer { out: stdout, terminal, rest: Vec::new() };
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => printer.write(buffer.get(..count).unwrap_or_default()).map_err(Broken::Writing)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(Broken::Reading(error)),
        }
    }
    printer.end().map_err(Broken::Writing)
}

/// Writes bytes as they are, or for a terminal what can be shown of them: text stays text.
struct Printer<W> {
    out: W,
    terminal: bool,
    /// The beginning of a character that was cut at the end of a chunk.
    rest: Vec<u8>,
}

impl<W: Write> Printer<W> {
    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        if !self.terminal {
            return self.out.write_all(chunk);
        }
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(chunk);
        self.rest = bytes.split_off(whole(&bytes));
        self.show(&bytes)
    }

    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut shown = String::with_capacity(bytes.len());
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\t')) {
            match piece.split_last() {
                Some((&end @ (b'\n' | b'\t'), text)) => {
                    shown.push_str(&text::escape(text));
                    shown.push(end.into());
                }
                _ => shown.push_str(&text::escape(piece)),
            }
        }
        self.out.write_all(shown.as_bytes())
    }

    fn end(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        self.show(&rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(terminal: bool, chunks: &[&[u8]]) -> Vec<u8> {
        let mut printer = Printer { out: Vec::new(), terminal, rest: Vec::new() };
        for chunk in chunks {
            printer.write(chunk).unwrap();
        }
        printer.end().unwrap();
        printer.out
    }

    #[test]
    fn a_terminal_gets_what_can_be_shown() {
        let text = "日本\tx\nend".as_bytes();
        // Wherever the chunks end, characters stay whole.
        for cut in 0..text.len() {
            assert_eq!(printed(true, &[&text[..cut], &text[cut..]]), text);
        }
        assert_eq!(printed(true, &[b"\x1b[2J\xff\r\n\xe6"]), b"\\x1b[2J\\xff\\r\n\\xe6");
    }

    #[test]
    fn a_pipe_gets_every_byte() {
        assert_eq!(printed(false, &[b"\x1b[2J\xff", b"\0"]), b"\x1b[2J\xff\0");
    }
}
