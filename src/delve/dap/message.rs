//! Messages: requests, their responses, and events.

use serde_json::{Map, Value, json};

use super::frame;

/// A message. What it has beside these fields is handed on as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number, of its sender.
    pub seq: i64,
    /// What it is.
    pub what: What,
    /// All other fields: `arguments` of a request, `body` of a response or event, `message` of a failure.
    pub rest: Map<String, Value>,
}

/// The three kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something is to be done.
    Request {
        /// What.
        command: String,
    },
    /// Something was done, or not.
    Response {
        /// The number of the request.
        request_seq: i64,
        /// What was to be done.
        command: String,
        /// Whether it was.
        success: bool,
    },
    /// Something has happened.
    Event {
        /// What.
        event: String,
    },
}

/// Why a frame has no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no JSON object.
    #[error("a DAP message is no JSON object")]
    NotJson,
    /// A field is not there, or is of another kind.
    #[error("a DAP message has no {0}")]
    Missing(&'static str),
}

impl Message {
    /// Reads the body of a frame.
    ///
    /// # Errors
    /// If it is no message.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let Ok(Value::Object(mut rest)) = serde_json::from_slice(body) else { return Err(Error::NotJson) };
        let mut take = |name| rest.remove(name);
        let seq = take("seq").and_then(|seq| seq.as_i64()).unwrap_or(0);
        let kind = take("type");
        let mut text = |name| match take(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Error::Missing(name)),
        };
        let what = match kind.as_ref().and_then(Value::as_str) {
            Some("request") => What::Request { command: text("command")? },
            Some("event") => What::Event { event: text("event")? },
            Some("response") => What::Response {
                command: text("command")?,
                request_seq: take("request_seq").and_then(|seq| seq.as_i64()).ok_or(Error::Missing("request_seq"))?,
                success: take("success").and_then(|success| success.as_bool()).ok_or(Error::Missing("success"))?,
            },
            _ => return Err(Error::Missing("type")),
        };
        Ok(Self { seq, what, rest })
    }

    /// A request.
    #[must_use]
    pub fn request(command: &str, arguments: Value) -> Self {
        let rest = Map::from_iter([("arguments".to_owned(), arguments)]);
        Self { seq: 0, what: What::Request { command: command.to_owned() }, rest }
    }

    /// An event.
    #[must_use]
    pub fn event(event: &str, body: Value) -> Self {
        let rest = Map::from_iter([("body".to_owned(), body)]);
        Self { seq: 0, what: What::Event { event: event.to_owned() }, rest }
    }

    /// A line for the editor's console.
    #[must_use]
    pub fn output(line: &str) -> Self {
        Self::event("output", json!({ "category": "important", "output": format!("scratchdbg: {line}\n") }))
    }

    /// That a request was done.
    #[must_use]
    pub fn done(command: &str, request_seq: i64) -> Self {
        let what = What::Response { request_seq, command: command.to_owned(), success: true };
        Self { seq: 0, what, rest: Map::new() }
    }

    /// That a request was not done, in words that the editor shows.
    #[must_use]
    pub fn refusal(command: &str, request_seq: i64, why: &str) -> Self {
        let error = json!({ "error": { "id": 1, "format": format!("scratchdbg: {why}"), "showUser": true } });
        let what = What::Response { request_seq, command: command.to_owned(), success: false };
        let rest = Map::from_iter([("message".to_owned(), json!(why)), ("body".to_owned(), error)]);
        Self { seq: 0, what, rest }
    }

    /// A field of its arguments or its body.
    #[must_use]
    pub fn field(&self, of: &str, name: &str) -> Option<&Value> {
        self.rest.get(of)?.get(name)
    }

    /// Sets a field of its arguments or its body. What is no object becomes one.
    pub fn set(&mut self, of: &str, name: &str, value: impl Into<Value>) {
        let mut object = match self.rest.remove(of) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        object.insert(name.to_owned(), value.into());
        self.rest.insert(of.to_owned(), Value::Object(object));
    }

    /// As a frame, which goes over a connection.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let mut all = self.rest.clone();
        let mut set = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
        set("seq", self.seq.into());
        match &self.what {
            What::Request { command } => {
                set("type", "request".into());
                set("command", command.as_str().into());
            }
            What::Event { event } => {
                set("type", "event".into());
                set("event", event.as_str().into());
            }
            What::Response { request_seq, command, success } => {
                set("type", "response".into());
                set("request_seq", (*request_seq).into());
                set("command", command.as_str().into());
                set("success", (*success).into());
            }
        }
        frame::encode(Value::Object(all).to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        for text in [
            r#"{"arguments":{"a":[1,2.5,null]},"command":"next","seq":7,"type":"request"}"#,
            r#"{"body":{"threadId":18446744073709551615},"event":"stopped","seq":1,"type":"event"}"#,
            r#"{"command":"x","message":"no","request_seq":3,"seq":2,"success":false,"type":"response"}"#,
        ] {
            let message = Message::parse(text.as_bytes()).unwrap();
            let framed = String::from_utf8(message.frame()).unwrap();
            assert_eq!(framed, format!("Content-Length: {}\r\n\r\n{text}", text.len()));
        }
    }

    #[test]
    fn what_is_no_message_is_told() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for (text, error) in [
            ("", Error::NotJson),
            ("[]", Error::NotJson),
            ("\u{0}", Error::NotJson),
            (&deep, Error::NotJson),
            ("{}", Error::Missing("type")),
            (r#"{"type":"other"}"#, Error::Missing("type")),
            (r#"{"type":"request","command":7}"#, Error::Missing("command")),
            (r#"{"type":"response","command":"x","success":true}"#, Error::Missing("request_seq")),
            (r#"{"type":"response","command":"x","request_seq":1e99,"success":true}"#, Error::Missing("request_seq")),
            (r#"{"type":"response","command":"x","request_seq":1,"success":1}"#, Error::Missing("success")),
        ] {
            assert_eq!(Message::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn arguments_that_are_no_object_become_one() {
        let mut message = Message::parse(br#"{"type":"request","command":"disconnect","arguments":"x"}"#).unwrap();
        message.set("arguments", "terminateDebuggee", false);
        assert_eq!(message.field("arguments", "terminateDebuggee"), Some(&Value::Bool(false)));
    }
}
