//! `dlv connect` on the one side, Delve on the other. What is said is passed on as it is, but for one thing: a client that
//! ends may ask Delve to kill the process, and that is not its to decide.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest request, in bytes. The longest that `dlv connect` makes are some hundred.
const LONGEST: usize = 4 << 20;
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

/// Relays until one of them has gone. With `may_kill` a client may have the process killed.
pub async fn run(
    client: impl AsyncRead + AsyncWrite + Unpin,
    delve: impl AsyncRead + AsyncWrite + Unpin,
    may_kill: bool,
) -> End {
    let (mut asks, mut hears) = tokio::io::split(client);
    let (mut answers, mut takes) = tokio::io::split(delve);
    let there = async {
        let mut requests = Requests { may_kill, kept: Vec::new() };
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
    may_kill: bool,
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
            #[serde(rename = "params")]
            _params: IgnoredAny,
            id: Value,
        }
        let call: Call = serde_json::from_slice(request).map_err(|_| Nonsense)?;
        if self.may_kill || call.method != "RPCServer.Detach" {
            return Ok(request.to_vec());
        }
        let detach = serde_json::json!({ "method": call.method, "params": [{ "Kill": false }], "id": call.id });
        Ok(detach.to_string().into_bytes())
    }
}

/// Parses arbitrary bytes. For fuzzing: must not panic, and must let no kill through.
pub fn fuzz(bytes: &[u8]) {
    let mut requests = Requests { may_kill: false, kept: Vec::new() };
    for piece in bytes.chunks(7) {
        if requests.add(piece).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(may_kill: bool, pieces: &[&str]) -> Result<String, Nonsense> {
        let mut requests = Requests { may_kill, kept: Vec::new() };
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
                drop(client)
            } else {
                drop(delve)
            }
            run(near, far, false).await
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
