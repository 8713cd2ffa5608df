//! Questions to the API, and what its answers mean.

use std::fmt::Write as _;

use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Cluster, Error, wire};

/// Characters of a server's own words at most.
const LONGEST: usize = 600;

/// What is asked.
#[cfg_attr(not(feature = "kube"), expect(dead_code, reason = "there is nobody to be asked"))]
pub struct Question<'a> {
    /// `GET`, `POST`, `PATCH`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// What the body is (`application/json`); empty without one.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The same in words: an order, for messages.
    pub what: &'a str,
}

impl<'a> Question<'a> {
    /// One that changes nothing.
    pub fn get(path: String, what: &'a str) -> Self {
        Self { method: "GET", path, kind: "", body: Vec::new(), what }
    }

    /// One with a document.
    pub fn with(method: &'static str, path: String, kind: &'static str, document: &Value, what: &'a str) -> Self {
        Self { method, path, kind, body: document.to_string().into_bytes(), what }
    }
}

/// What came back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All of it.
    pub body: Bytes,
}

/// Why it is not what was hoped for.
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// In the server's words.
    pub message: String,
    /// The name of what it is about: empty if it does not even know such things.
    pub about: String,
}

impl Answer {
    /// The refusal in it, if it is one. Not all are documents: a kubelet that is asked through the server answers in plain text.
    pub fn refusal(&self) -> Option<Refusal> {
        if (200..300).contains(&self.status) {
            return None;
        }
        Some(refusal(self.status, &self.body))
    }
}

/// What a server says that refuses something.
pub fn refusal(status: u16, body: &[u8]) -> Refusal {
    let told = serde_json::from_slice::<wire::Status>(body).ok().filter(|told| !told.message.is_empty());
    let (message, about) = match told {
        Some(told) => (told.message, told.details.unwrap_or_default().name),
        None => (String::from_utf8_lossy(body).into_owned(), String::new()),
    };
    let message = if message.trim().is_empty() { format!("status {status}, and no reason") } else { short(&message) };
    Refusal { status, message, about }
}

/// As much of a server's words as a person reads.
pub fn short(text: &str) -> String {
    let text = text.trim();
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A value of a query, so that nothing in it means anything else. A semicolon is refused by the server if it is not written so.
pub fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl Cluster {
    /// Asks for a document.
    pub(super) async fn json<T: DeserializeOwned>(&self, question: &Question<'_>) -> Result<T, Error> {
        let answer = self.answer(question).await?;
        if let Some(refusal) = answer.refusal() {
            return Err(self.refused(question.what, refusal));
        }
        serde_json::from_slice(&answer.body).map_err(|error| Error::Garbled {
            endpoint: self.endpoint().to_owned(),
            what: question.what.to_owned(),
            why: error.to_string(),
        })
    }

    /// The error of a refusal.
    pub(super) fn refused(&self, what: &str, refusal: Refusal) -> Error {
        match refusal.status {
            401 => Error::Unknown { endpoint: self.endpoint().to_owned(), message: refusal.message },
            status => Error::Refused { what: what.to_owned(), status, message: refusal.message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_in_documents_and_in_plain_text() {
        let of = |status, body: &str| {
            let refusal = refusal(status, body.as_bytes());
            (refusal.message, refusal.about)
        };
        let document = r#"{"kind":"Status","message":"pods \"x\" is forbidden","details":{"name":"x"}}"#;
        assert_eq!(of(403, document), ("pods \"x\" is forbidden".to_owned(), "x".to_owned()));
        assert_eq!(of(500, "container not found (\"x\")\n"), ("container not found (\"x\")".to_owned(), String::new()));
        assert_eq!(of(404, ""), ("status 404, and no reason".to_owned(), String::new()));
        assert_eq!(of(500, &"é".repeat(5000)).0.chars().count(), LONGEST + 1);
        assert!(Answer { status: 201, body: Bytes::new() }.refusal().is_none());
    }

    #[test]
    fn values_of_a_query() {
        assert_eq!(encoded("app=web,tier in (a;b)"), "app%3Dweb%2Ctier%20in%20%28a%3Bb%29");
    }
}
