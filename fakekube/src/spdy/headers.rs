//! The headers of streams. All of a connection's are one zlib stream, which begins with a dictionary that both sides know.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{Malformed, word};

/// The words of the dictionary, each with its length before it.
const WORDS: &str = "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|\
    accept-ranges|age|allow|authorization|cache-control|connection|content-base|content-encoding|content-language|\
    content-length|content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|host|if-match|\
    if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|max-forwards|pragma|\
    proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|transfer-encoding|upgrade|\
    user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|\
    keep-alive|origin";
/// What follows them.
const REST: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 \
    Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not \
    Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov \
    Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,\
    application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=\
    iso-8859-1,utf-,*,enq=0.";
/// What a zlib stream with this dictionary begins with: how it is packed, and the dictionary's checksum.
const HEAD: usize = 6;
/// How much may come of one connection's headers, in bytes. A forwarded connection takes about a hundred.
const ROOM: usize = 1 << 20;

/// The dictionary of SPDY/3.
fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in WORDS.split('|') {
        bytes.extend_from_slice(&u32::try_from(word.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(word.as_bytes());
    }
    bytes.extend_from_slice(REST.as_bytes());
    bytes
}

/// Unpacks the headers of one connection's streams.
pub struct Inflate {
    state: Box<DecompressorOxide>,
    /// The dictionary, what came of it so far, and room for more.
    out: Vec<u8>,
    at: usize,
    begun: bool,
}

impl Default for Inflate {
    fn default() -> Self {
        let mut out = dictionary();
        let at = out.len();
        out.resize(at + ROOM, 0);
        Self { state: Box::default(), out, at, begun: false }
    }
}

impl Inflate {
    /// The headers of the next stream.
    ///
    /// # Errors
    /// If they are none, or there were too many.
    pub fn headers(&mut self, mut packed: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        if !self.begun {
            packed = packed.get(HEAD..).ok_or(Malformed)?;
            self.begun = true;
        }
        let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, _, length) = decompress(&mut self.state, packed, &mut self.out, self.at, flags);
        if status != TINFLStatus::NeedsMoreInput {
            return Err(Malformed);
        }
        let end = self.at + length;
        let headers = parse(&self.out[self.at..end]).ok_or(Malformed);
        self.at = end;
        headers
    }
}

fn parse(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let count = word(bytes)?;
    let mut rest = bytes.get(4..)?;
    let mut text = || {
        let length = word(rest)? as usize;
        let text = String::from_utf8_lossy(rest.get(4..4 + length)?).into_owned();
        rest = &rest[4 + length..];
        Some(text)
    };
    (0..count).map(|_| Some((text()?, text()?))).collect()
}
