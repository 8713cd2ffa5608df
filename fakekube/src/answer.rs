//! What the server answers: objects, streams, and refusals in the API server's own words.

use std::convert::Infallible;

use futures_util::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// What every answer is made of.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;
/// An answer of the server.
pub type Answer = Response<Body>;

/// An object, or a list of them.
#[must_use]
pub fn object(code: StatusCode, value: &Value) -> Answer {
    let mut text = value.to_string();
    text.push('\n');
    with_type(code, "application/json", text)
}

/// Words that are no object.
#[must_use]
pub fn text(code: StatusCode, text: impl Into<String>) -> Answer {
    with_type(code, "text/plain; charset=utf-8", text.into())
}

fn with_type(code: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// What comes bit by bit: a watch or a log.
pub fn stream(kind: &'static str, bytes: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    use futures_util::StreamExt as _;
    let body = StreamBody::new(bytes.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))));
    let mut answer = Response::new(body.boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// Why something is not done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// An object of kind `Status`.
    Status(Box<Value>),
    /// Plain words, as the kubelet has them.
    Text(StatusCode, String),
}

/// One field of an object that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `FieldValueForbidden`, `FieldValueDuplicate`, …
    pub reason: &'static str,
    /// Where: `spec.ephemeralContainers[0].name`.
    pub field: String,
    /// What: `Duplicate value: "app"`.
    pub message: String,
}

impl Refusal {
    /// A refusal with a reason that programs know.
    pub fn status(code: u16, reason: &str, message: impl Into<String>, details: Option<Value>) -> Self {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(), "reason": reason, "code": code,
        });
        if let Some(details) = details {
            status["details"] = details;
        }
        Self::Status(Box::new(status))
    }

    /// There is no such object.
    pub fn not_found(plural: &str, group: &str, name: &str) -> Self {
        let mut details = json!({ "name": name, "kind": plural });
        let resource = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        Self::status(404, "NotFound", format!("{resource} \"{name}\" not found"), Some(details))
    }

    /// There is no such path.
    pub fn no_such_path() -> Self {
        Self::status(404, "NotFound", "the server could not find the requested resource", Some(json!({})))
    }

    /// There is one already.
    pub fn exists(plural: &str, name: &str) -> Self {
        let details = json!({ "name": name, "kind": plural });
        Self::status(409, "AlreadyExists", format!("{plural} \"{name}\" already exists"), Some(details))
    }

    /// Whoever asks may not.
    pub fn forbidden(plural: &str, name: Option<&str>, why: &str) -> Self {
        let (what, details) = match name {
            Some(name) => (format!("{plural} \"{name}\""), json!({ "name": name, "kind": plural })),
            None => (plural.to_owned(), json!({ "kind": plural })),
        };
        Self::status(403, "Forbidden", format!("{what} is forbidden: {why}"), Some(details))
    }

    /// Nobody knows who asks.
    pub fn unauthorized() -> Self {
        Self::status(401, "Unauthorized", "Unauthorized", None)
    }

    /// The question makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::status(400, "BadRequest", message, None)
    }

    /// This is not offered.
    pub fn not_allowed() -> Self {
        Self::status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", None)
    }

    /// The version asked for is too old.
    pub fn expired(asked: u64, oldest: u64) -> Self {
        Self::status(410, "Expired", format!("too old resource version: {asked} ({oldest})"), None)
    }

    /// The object is not as it has to be.
    pub fn invalid(kind: &str, name: &str, faults: &[Fault]) -> Self {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
        let said = if lines.len() == 1 { lines.concat() } else { format!("[{}]", lines.join(", ")) };
        let causes: Vec<Value> = faults
            .iter()
            .map(|fault| json!({ "reason": fault.reason, "message": fault.message, "field": fault.field }))
            .collect();
        let details = json!({ "name": name, "kind": kind, "causes": causes });
        Self::status(422, "Invalid", format!("{kind} \"{name}\" is invalid: {said}"), Some(details))
    }

    /// The object that says so, if it is one.
    #[must_use]
    pub fn as_status(&self) -> Option<&Value> {
        match self {
            Self::Status(status) => Some(status),
            Self::Text(..) => None,
        }
    }

    /// As an answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self {
            Self::Status(status) => {
                let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok());
                let code = code.and_then(|code| StatusCode::from_u16(code).ok());
                object(code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), status)
            }
            Self::Text(code, words) => text(*code, words.as_str()),
        }
    }
}
