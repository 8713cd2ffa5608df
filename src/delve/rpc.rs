//! Delve's JSON-RPC: one JSON object a request, one line a reply, `params` an array of one object.
//!
//! What Delve says is read into plain structures that know its names ([`request`], [`reply`]), and turned at once
//! into [`super::model`]. Nothing else here knows the names. Anything may be missing or null: Delve 1.20 to 1.27
//! differ in it.

mod convert;
pub mod reply;
pub mod request;
mod value;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::client::Error;
use crate::text::{Safe, Untrusted};

pub use self::convert::Convert;

/// The longest reply that is read, in bytes. 100,000 goroutines at once are 81 MB: they are to be asked for in pages.
pub const LONGEST: usize = 64 << 20;
/// The longest error that is shown, in bytes. Delve tells its own panics with the whole stack.
const LONGEST_ERROR: usize = 400;

/// A call of Delve.
pub trait Request: Serialize {
    /// Its name, without `RPCServer.`.
    const METHOD: &'static str;
    /// How many seconds it may take.
    const SECONDS: u64 = 30;
    /// What comes back.
    type Reply: DeserializeOwned;
}

#[derive(Serialize)]
struct Call<'a, P> {
    method: &'a str,
    params: [&'a P; 1],
    id: u64,
}

/// What is sent: one line.
///
/// # Errors
/// Never for the requests of this crate; `serde_json` cannot promise it.
pub fn line<R: Request>(id: u64, request: &R) -> Result<Vec<u8>, Error> {
    let method = format!("RPCServer.{}", R::METHOD);
    let mut line = serde_json::to_vec(&Call { method: &method, params: [request], id })
        .map_err(|_| Error::Malformed("a request of our own"))?;
    line.push(b'\n');
    Ok(line)
}

/// Which call a line is the reply to.
///
/// # Errors
/// If it is no reply.
pub fn id(line: &[u8]) -> Result<u64, Error> {
    #[derive(Deserialize)]
    struct Envelope {
        id: u64,
        #[serde(default, rename = "result")]
        _result: IgnoredAny,
    }
    serde_json::from_slice(line).map(|Envelope { id, .. }| id).map_err(|_| Error::Malformed("a line that is no reply"))
}

/// What a reply says.
///
/// # Errors
/// If it says no, or makes no sense.
pub fn answer<R: Request>(line: &[u8]) -> Result<R::Reply, Error> {
    #[derive(Deserialize)]
    struct Answer<T> {
        result: Option<T>,
    }
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        error: Option<String>,
        #[serde(default, rename = "result")]
        _result: IgnoredAny,
    }
    match serde_json::from_slice::<Answer<R::Reply>>(line) {
        Ok(Answer { result: Some(reply) }) => Ok(reply),
        _ => match serde_json::from_slice(line) {
            Ok(Refusal { error: Some(error), .. }) => Err(Error::Refused(first_line(&error))),
            _ => Err(Error::Malformed(R::METHOD)),
        },
    }
}

/// The first line of an error, and not too much of it.
pub(crate) fn first_line(text: &str) -> Safe {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim();
    let end = line.char_indices().map(|(at, _)| at).take_while(|&at| at <= LONGEST_ERROR).last().unwrap_or(0);
    let cut = if line.len() > LONGEST_ERROR { format!("{}…", &line[..end]) } else { line.to_owned() };
    Untrusted::from(cut.as_str()).safe()
}

/// Reads arbitrary bytes as every reply there is. For fuzzing: must not panic.
pub fn fuzz(line: &[u8]) {
    drop(id(line));
    fn as_reply<R: Request>(line: &[u8])
    where
        R::Reply: Convert,
    {
        // As a whole reply, and as what would stand in one: so the fuzzer need not find the envelope for each.
        let bare = serde_json::from_slice::<R::Reply>(line).ok();
        for reply in bare.into_iter().chain(answer::<R>(line).ok()) {
            drop(reply.convert(Some(24)));
        }
    }
    as_reply::<request::GetVersion>(line);
    as_reply::<request::State>(line);
    as_reply::<request::ListGoroutines>(line);
    as_reply::<request::Stacktrace>(line);
    as_reply::<request::ListLocalVars>(line);
    as_reply::<request::ListFunctionArgs>(line);
    as_reply::<request::Eval>(line);
    as_reply::<request::ListBreakpoints>(line);
    as_reply::<request::CreateBreakpoint>(line);
    as_reply::<request::FindLocation>(line);
    as_reply::<request::ListThreads>(line);
    as_reply::<request::ListRegisters>(line);
    as_reply::<request::Disassemble>(line);
    as_reply::<request::ListSources>(line);
    as_reply::<request::ExamineMemory>(line);
    as_reply::<request::GuessSubstitutePath>(line);
}
