//! SPDY/3.1, as much of it as kubectl's port-forward speaks inside a WebSocket: many streams on one connection.

pub mod headers;
pub mod streams;

use self::headers::Inflate;

/// The first half of a control frame's first word: the control bit and the version.
const CONTROL: u16 = 0x8003;
/// The largest frame that is taken, in bytes.
const LARGEST: usize = 1 << 20;
/// The end of a stream, in the flags of a frame.
const FIN: u8 = 1;

/// What the other side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A new stream.
    Open {
        /// Its number.
        stream: u32,
        /// What it is for.
        headers: Vec<(String, String)>,
        /// Whether nothing follows on it.
        last: bool,
    },
    /// Bytes on a stream.
    Data {
        /// Its number.
        stream: u32,
        /// What was sent.
        bytes: Vec<u8>,
        /// Whether nothing follows on it.
        last: bool,
    },
    /// A stream is given up.
    Reset(u32),
    /// Are you there?
    Ping(u32),
    /// Something that needs no answer.
    Other,
}

/// What came is not SPDY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Makes frames of bytes.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    inflate: Inflate,
}

fn word(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?))
}

impl Decoder {
    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, if it is whole.
    ///
    /// # Errors
    /// If it is none.
    pub fn frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let (Some(first), Some(second)) = (word(&self.buffer), self.buffer.get(4..8).and_then(word)) else {
            return Ok(None);
        };
        let ([flags, ..], length) = (second.to_be_bytes(), (second & 0x00ff_ffff) as usize);
        if length > LARGEST {
            return Err(Malformed);
        }
        if self.buffer.len() < 8 + length {
            return Ok(None);
        }
        let body: Vec<u8> = self.buffer.drain(..8 + length).skip(8).collect();
        let last = flags & FIN != 0;
        if first >> 31 == 0 {
            return Ok(Some(Frame::Data { stream: first, bytes: body, last }));
        }
        let [.., high, low] = first.to_be_bytes();
        if first >> 16 != u32::from(CONTROL) {
            return Err(Malformed);
        }
        match u16::from_be_bytes([high, low]) {
            1 => {
                let stream = word(&body).ok_or(Malformed)? & 0x7fff_ffff;
                let headers = self.inflate.headers(body.get(10..).ok_or(Malformed)?)?;
                Ok(Some(Frame::Open { stream, headers, last }))
            }
            3 => Ok(Some(Frame::Reset(word(&body).ok_or(Malformed)?))),
            6 => Ok(Some(Frame::Ping(word(&body).ok_or(Malformed)?))),
            _ => Ok(Some(Frame::Other)),
        }
    }
}

fn frame(first: u32, flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
    let mut bytes = Vec::with_capacity(8 + body.len());
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(flags) << 24 | length).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn control(kind: u16, body: &[u8]) -> Vec<u8> {
    frame(u32::from(CONTROL) << 16 | u32::from(kind), 0, body)
}

/// Makes bytes of frames.
#[derive(Default)]
pub struct Encoder {
    begun: bool,
}

impl Encoder {
    /// A stream of the other side's is accepted.
    pub fn accept(&mut self, stream: u32) -> Vec<u8> {
        let mut body = stream.to_be_bytes().to_vec();
        // One zlib stream for all frames: its head comes once.
        if !self.begun {
            body.extend_from_slice(&[0x78, 0x01]);
            self.begun = true;
        }
        // No headers, not packed; and a block of nothing, which lets the reader have what came before it.
        body.extend_from_slice(&[0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        body.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
        control(2, &body)
    }

    /// An answer to [`Frame::Ping`].
    #[must_use]
    pub fn pong(number: u32) -> Vec<u8> {
        control(6, &number.to_be_bytes())
    }

    /// Bytes on a stream.
    #[must_use]
    pub fn data(stream: u32, bytes: &[u8], last: bool) -> Vec<u8> {
        frame(stream, if last { FIN } else { 0 }, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two streams as a Go program opens them, packed by zlib with SPDY's dictionary.
    const OPENED: [&str; 2] = [
        "800300010000003d0000000100000000000078bbe3c6a7c202253a48f95b044eea16061606409ab308125f99a074cc68004e892545a989b9d0\
         c2863515141500000000ffff",
        "800300010000001600000003000000000000225333a8a44a04000000ffff",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap_or_default()).collect()
    }

    #[test]
    fn streams_are_opened_in_pieces() {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for byte in OPENED.iter().flat_map(|hex| bytes(hex)) {
            decoder.push(&[byte]);
            found.extend(decoder.frame().expect("a frame"));
        }
        let open = |stream, kind: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let headers = vec![pair("port", "8080"), pair("requestid", "0"), pair("streamtype", kind)];
            Frame::Open { stream, headers, last: false }
        };
        assert_eq!(found, [open(1, "error"), open(3, "data")]);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut decoder = Decoder::default();
        decoder.push(&Encoder::data(3, b"hello", true));
        decoder.push(&Encoder::pong(7));
        assert_eq!(decoder.frame(), Ok(Some(Frame::Data { stream: 3, bytes: b"hello".to_vec(), last: true })));
        assert_eq!(decoder.frame(), Ok(Some(Frame::Ping(7))));
        assert_eq!(decoder.frame(), Ok(None));
        decoder.push(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(decoder.frame(), Err(Malformed));
    }
}
