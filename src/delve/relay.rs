//! `dlv connect` on the one side, Delve on the other. What is said is passed on as it is, but for two things: a client that
//! ends may ask Delve to kill the process, and one may have Delve call a function in it. A call is made by breakpoints of the
//! Go runtime's own, of which the process dies if Delve ends meanwhile; no guard can undo it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest request, in bytes. The longest that `dlv connect` makes are some hundred.
const LONGEST: usize = 4 << 20;
/// What Delve is asked for in place of a call, so that its answer tells why.
const NO_CALL: &str = "RPCServer.Call (functions are not called in a live process without --may-call)";
/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// How a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client has gone.
    Client,
    /// Delve has ended.
    Delve,
    /// The client sent what is no request.
    Nonsense,
}

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Have the process killed.
    pub may_kill: bool,
    /// Have functions called in it.
    pub may_call: bool,
}

/// Relays until one of them has gone.
pub async fn run(
    client: impl AsyncRead + AsyncWrite + Unpin,
    delve: impl AsyncRead + AsyncWrite + Unpin,
    terms: Terms,
) -> End {
    let (mut asks, mut hears) = tokio::io::split(client);
    let (mut answers, mut takes) = tokio::io::split(delve);
    let there = async {
        let mut requests = Requests { terms, kept: Vec::new() };
        let mut room = vec![0; CHUNK];
        loop {
            let Ok(got @ 1..) = asks.read(&mut room).await else { return End::Client };
            match requests.add(&room[..got]) {
                Ok(bytes) if takes.write_all(&bytes).await.is_err() => return End::Delve,
                Ok(_) => {}
                Err(Nonsense) => return End::Nonsense,
            }
        }
    };
    let back = async {
        match tokio::io::copy(&mut answers, &mut hears).await {
            Ok(_) => End::Delve,
            // It is told by whoever fails first; a client that has gone is one that does not take what it is told.
            Err(_) => End::Client,
        }
    };
    tokio::select! { end = there => end, end = back => end }
}

/// What is no request.
#[derive(Debug, PartialEq, Eq)]
struct Nonsense;

/// Requests, which come in pieces: JSON objects with nothing between them.
struct Requests {
    terms: Terms,
    kept: Vec<u8>,
}

impl Requests {
    /// Takes a piece, gives what is complete.
    fn add(&mut self, piece: &[u8]) -> Result<Vec<u8>, Nonsense> {
        self.kept.extend_from_slice(piece);
        let mut complete = Vec::new();
        let mut from = 0;
        let mut values = serde_json::Deserializer::from_slice(&self.kept).into_iter::<IgnoredAny>();
        loop {
            match values.next() {
                Some(Ok(_)) => {
                    let to = values.byte_offset();
                    complete.extend(self.passed(&self.kept[from..to])?);
                    from = to;
                }
                Some(Err(error)) if !error.is_eof() => return Err(Nonsense),
                Some(Err(_)) | None => break,
            }
        }
        self.kept.drain(..from);
        if self.kept.len() > LONGEST { Err(Nonsense) } else { Ok(complete) }
    }

    /// One request as it is passed on.
    fn passed(&self, request: &[u8]) -> Result<Vec<u8>, Nonsense> {
        // Strict, because Go is not: it takes names in any case, and the last of two of one name.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Call {
            method: String,
            params: Value,
            id: Value,
        }
        let call: Call = serde_json::from_slice(request).map_err(|_| Nonsense)?;
        let argument = |name: &str| {
            let fields = call.params.get(0).and_then(Value::as_object).into_iter().flatten();
            fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let has = |name: &str, is: fn(&str) -> bool| argument(name).iter().any(|value| value.as_str().is_some_and(is));
        let passed = match call.method.as_str() {
            "RPCServer.Detach" if !self.terms.may_kill => {
                serde_json::json!({ "method": call.method, "params": [{ "Kill": false }], "id": call.id })
            }
            // Delve says that it does not know that method, by its whole name.
            "RPCServer.Command" if !self.terms.may_call && has("name", |name| name.eq_ignore_ascii_case("call")) => {
                serde_json::json!({ "method": NO_CALL, "params": [{}], "id": call.id })
            }
            // A new string takes memory, which a call gets.
            "RPCServer.Set" if !self.terms.may_call && has("Value", |value| value.contains(['"', '`'])) => {
                serde_json::json!({ "method": NO_CALL, "params": [{}], "id": call.id })
            }
            _ => return Ok(request.to_vec()),
        };
        Ok(passed.to_string().into_bytes())
    }
}

/// Parses arbitrary bytes. For fuzzing.
///
/// # Panics
/// If it lets a kill through, which it must not.
pub fn fuzz(bytes: &[u8]) {
    let mut requests = Requests { terms: Terms { may_kill: false, may_call: false }, kept: Vec::new() };
    for piece in bytes.chunks(7) {
        let Ok(passed) = requests.add(piece) else { return };
        let mut calls = serde_json::Deserializer::from_slice(&passed).into_iter::<Value>();
        let kills = |call: &Value| call["method"] == "RPCServer.Detach" && call["params"][0]["Kill"] != false;
        assert!(!calls.any(|call| call.is_ok_and(|call| kills(&call))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(may: bool, pieces: &[&str]) -> Result<String, Nonsense> {
        let mut requests = Requests { terms: Terms { may_kill: may, may_call: may }, kept: Vec::new() };
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(requests.add(piece.as_bytes())?);
        }
        Ok(String::from_utf8(all).unwrap())
    }

    #[test]
    fn what_is_asked_is_passed_on_as_it_is() {
        let state = r#"{"method":"RPCServer.State","params":[{"NonBlocking":true}],"id":3}"#;
        assert_eq!(passed(false, &[state, "\n", state]).unwrap(), format!("{state}\n{state}"));
        let (one, other) = state.split_at(20);
        assert_eq!(passed(false, &[one]).unwrap(), "");
        assert_eq!(passed(false, &[one, other]).unwrap(), state);
    }

    #[test]
    fn nobody_has_it_killed_who_may_not() {
        let kill = r#"{"method":"RPCServer.Detach","params":[{"Kill":true}],"id":"x7"}"#;
        let let_go: Value = serde_json::from_str(&passed(false, &[kill]).unwrap()).unwrap();
        assert_eq!(let_go["params"][0]["Kill"], false);
        assert_eq!(let_go["id"], "x7");
        assert_eq!(passed(true, &[kill]).unwrap(), kill);
        for tricky in [
            r#"{"method":"RPCServer.State","method":"RPCServer.Detach","params":[{"Kill":true}],"id":1}"#,
            r#"{"method":"RPCServer.State","Method":"RPCServer.Detach","params":[{"Kill":true}],"id":1}"#,
            r#"{"method":"RPCServer.State","METHOD":"RPCServer.Detach","params":[{"kill":true}],"id":1}"#,
            r#"{"\u006dethod":"RPCServer.Detach","params":[{"Kill":true}],"id":1}"#,
        ] {
            assert!(
                !passed(false, &[tricky]).is_ok_and(|text| text.to_lowercase().contains("kill\":true")),
                "{tricky}"
            );
        }
    }

    #[test]
    fn no_function_is_called_by_whoever_may_not() {
        for call in [
            r#"{"method":"RPCServer.Command","params":[{"name":"call","expr":"f()"}],"id":4}"#,
            r#"{"method":"RPCServer.Command","params":[{"name":"halt","Name":"call"}],"id":4}"#,
            r#"{"method":"RPCServer.Set","params":[{"Symbol":"s","Value":"\"x\""}],"id":4}"#,
        ] {
            let asked: Value = serde_json::from_str(&passed(false, &[call]).unwrap()).unwrap();
            assert!(asked["method"].as_str().unwrap().contains("--may-call"), "{asked}");
            assert_eq!((&asked["id"], &asked["params"]), (&4.into(), &serde_json::json!([{}])));
            assert_eq!(passed(true, &[call]).unwrap(), call);
        }
        for harmless in [
            r#"{"method":"RPCServer.Command","params":[{"name":"next"}],"id":4}"#,
            r#"{"method":"RPCServer.Set","params":[{"Symbol":"n","Value":"7"}],"id":4}"#,
        ] {
            assert_eq!(passed(false, &[harmless]).unwrap(), harmless);
        }
    }

    #[test]
    fn what_is_no_request_is_not_passed_on() {
        for bad in ["x", "[1]", "{}", "7", r#"{"method":5,"params":[],"id":1}"#] {
            assert_eq!(passed(false, &[bad, " "]), Err(Nonsense), "{bad}");
        }
        assert_eq!(passed(false, &["{\"method\":\"", &"a".repeat(LONGEST)]), Err(Nonsense));
    }

    #[tokio::test]
    async fn it_ends_with_either_of_them() {
        let ends = |client_goes: bool| async move {
            let (client, near) = tokio::io::duplex(64);
            let (delve, far) = tokio::io::duplex(64);
            if client_goes {
                drop(client);
            } else {
                drop(delve);
            }
            run(near, far, Terms { may_kill: false, may_call: false }).await
        };
        assert_eq!(ends(true).await, End::Client);
        assert_eq!(ends(false).await, End::Delve);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            fuzz(&bytes);
        }
    }
}
