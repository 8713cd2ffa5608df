//! Frames: `Content-Length: N`, an empty line, N bytes of JSON.
//! <https://microsoft.github.io/debug-adapter-protocol/overview#base-protocol>

/// The most bytes before the body.
pub const LONGEST_HEADER: usize = 4 << 10;
/// The most bytes of a body. Delve's largest answers, some thousand variables or stack frames, are well below.
pub const LONGEST_BODY: usize = 16 << 20;

/// What ends a header.
const END: &[u8] = b"\r\n\r\n";

/// Why bytes are no frame. Nothing that follows can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin as a header does. JSON-RPC begins with a bracket, HTTP with a line that has no colon.
    #[error("these are no DAP messages")]
    NotDap,
    /// No end of the header in [`LONGEST_HEADER`] bytes.
    #[error("a DAP header has more than {LONGEST_HEADER} bytes")]
    LongHeader,
    /// No `Content-Length`, more than one, or one that is no number.
    #[error("a DAP header does not tell the length of its message")]
    NoLength,
    /// More than [`LONGEST_BODY`].
    #[error("a DAP message has {0} bytes, and at most {LONGEST_BODY} are taken")]
    LongBody(u64),
}

/// Takes bytes as they come and gives the bodies of frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where the header was looked through already.
    seen: usize,
    /// The body that is waited for, if its header is there: where it begins, and where it ends.
    body: Option<(usize, usize)>,
    failed: Option<Error>,
}

impl Decoder {
    /// Adds bytes. Not to be called again before [`Decoder::next`] has given `None`: then it holds one frame and one piece
    /// at most.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next body, if all of it is there.
    ///
    /// # Errors
    /// If the bytes are no frame; then always.
    #[allow(clippy::should_implement_trait, reason = "it is none: after nothing there may be more")]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.step().inspect_err(|&error| {
            self.failed = Some(error);
            self.buffer = Vec::new();
        })
    }

    fn step(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let (start, end) = match self.body {
            Some(body) => body,
            None => match self.header()? {
                Some(body) => *self.body.insert(body),
                None => return Ok(None),
            },
        };
        if self.buffer.len() < end {
            return Ok(None);
        }
        let body = self.buffer[start..end].to_vec();
        self.buffer.drain(..end);
        // What a large message took is not kept.
        self.buffer.shrink_to(LONGEST_HEADER);
        (self.seen, self.body) = (0, None);
        Ok(Some(body))
    }

    /// Where the body begins and ends, once the header is there.
    fn header(&mut self) -> Result<Option<(usize, usize)>, Error> {
        if self.buffer.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) {
            return Err(Error::NotDap);
        }
        let window = &self.buffer[..self.buffer.len().min(LONGEST_HEADER)];
        let from = self.seen.min(window.len());
        let Some(at) = window[from..].windows(END.len()).position(|bytes| bytes == END) else {
            if self.buffer.len() >= LONGEST_HEADER {
                return Err(Error::LongHeader);
            }
            // The end may have come in part.
            self.seen = window.len().saturating_sub(END.len() - 1);
            return Ok(None);
        };
        let start = from + at + END.len();
        let length = length(&window[..from + at])?;
        let fits = usize::try_from(length).ok().filter(|&length| length <= LONGEST_BODY);
        Ok(Some((start, start + fits.ok_or(Error::LongBody(length))?)))
    }
}

/// The length that a header tells.
fn length(header: &[u8]) -> Result<u64, Error> {
    let mut length = None;
    for line in header.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|&byte| byte == b':').ok_or(Error::NotDap)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !name.eq_ignore_ascii_case(b"Content-Length") {
            continue;
        }
        let digits = std::str::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let told = digits.and_then(|digits| digits.parse().ok()).ok_or(Error::NoLength)?;
        if length.replace(told).is_some() {
            return Err(Error::NoLength);
        }
    }
    length.ok_or(Error::NoLength)
}

/// A frame with this body.
#[must_use]
pub fn encode(body: &[u8]) -> Vec<u8> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], cut: usize) -> Result<Vec<Vec<u8>>, Error> {
        let (mut decoder, mut bodies) = (Decoder::default(), Vec::new());
        for part in bytes.chunks(cut) {
            decoder.push(part);
            while let Some(body) = decoder.next()? {
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    #[test]
    fn frames_come_in_any_parts() {
        let other = b"content-type: text\r\nCONTENT-LENGTH:  2 \r\n\r\nhi";
        let bytes = [&encode(b"{}")[..], &encode(b""), other, &encode(&[0xff; 300])].concat();
        for cut in 1..=bytes.len() {
            let bodies = all(&bytes, cut).unwrap();
            assert_eq!(bodies, [&b"{}"[..], b"", b"hi", &[0xff; 300]], "in parts of {cut}");
        }
    }

    #[test]
    fn what_is_no_frame_is_told_early() {
        let long = [b"a: ".repeat(LONGEST_HEADER), END.to_vec()].concat();
        let over = format!("Content-Length: {}\r\n\r\n", LONGEST_BODY + 1);
        for (bytes, error) in [
            (&b"{\"method\":\"RPCServer.State\"}"[..], Error::NotDap),
            (b"GET / HTTP/1.1\r\n\r\n", Error::NotDap),
            (b"\r\n\r\n", Error::NotDap),
            (b"Content-Length\r\n\r\n", Error::NotDap),
            (b"Content-Type: x\r\n\r\n", Error::NoLength),
            (b"Content-Length: \r\n\r\n", Error::NoLength),
            (b"Content-Length: -1\r\n\r\n", Error::NoLength),
            (b"Content-Length: 1x\r\n\r\n", Error::NoLength),
            (b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", Error::NoLength),
            (b"Content-Length: 99999999999999999999999\r\n\r\n", Error::NoLength),
            (b"Content-Length: 18446744073709551615\r\n\r\n", Error::LongBody(u64::MAX)),
            (&long, Error::LongHeader),
            (over.as_bytes(), Error::LongBody(LONGEST_BODY as u64 + 1)),
        ] {
            for cut in [1, 7, bytes.len()] {
                assert_eq!(all(bytes, cut), Err(error), "{:?}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn after_an_error_nothing_is_kept() {
        let mut decoder = Decoder::default();
        decoder.push(b"{");
        assert!(decoder.next().is_err());
        decoder.push(&[b'x'; 100]);
        assert!(decoder.next().is_err() && decoder.buffer.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back(bodies: Vec<Vec<u8>>, cut in 1_usize..50) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| encode(body)).collect();
            proptest::prop_assert_eq!(all(&bytes, cut).unwrap(), bodies);
        }
    }
}
