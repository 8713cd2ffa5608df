//! DAP, the Debug Adapter Protocol: what editors speak to Delve, and a proxy between the two.
//!
//! Delve serves it on the connection that also takes JSON-RPC. The proxy stands in between so that an editor cannot do to a
//! process of somebody's service what it does to a program of its own: kill it with its Stop button, start it anew, or
//! leave it stopped by going away. [`proxy`] decides, and does no I/O; [`serve`] moves the bytes.

pub mod client;
pub mod editor;
pub mod frame;
pub mod message;
pub mod proxy;
pub mod serve;

use self::frame::Decoder;
use self::message::Message;
use self::proxy::{Proxy, Subject, Terms};

/// Reads arbitrary bytes as an editor's and as Delve's, in parts of `cut` bytes. For fuzzing.
///
/// # Panics
/// If the parts make a difference, or something harmful would be sent: never, that is.
pub fn fuzz(bytes: &[u8], cut: usize) {
    let subject = if cut.is_multiple_of(2) { Subject::Live } else { Subject::Core };
    let mut proxy = Proxy::new(Terms { subject, rules: Vec::new(), may_kill: false, may_call: cut.is_multiple_of(3) });
    let (mut decoder, mut all) = (Decoder::default(), Decoder::default());
    all.push(bytes);
    for (index, part) in bytes.chunks(cut.max(1)).enumerate() {
        decoder.push(part);
        loop {
            let one = decoder.next();
            let Ok(Some(body)) = &one else { break };
            // The parts make no difference.
            assert_eq!(all.next().ok().flatten().as_ref(), Some(body));
            if let Ok(message) = Message::parse(body) {
                let steps = if index % 2 == 0 { proxy.from_client(message) } else { proxy.from_delve(message) };
                assert!(steps.iter().all(proxy::Step::is_harmless));
            }
        }
    }
    drop((proxy.client_gone(), proxy.delve_gone("")));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_is_said_is_too_much(
            said in proptest::collection::vec((0..CONVERSATION.len(), proptest::prelude::any::<u8>()), 0..60),
            cut in 1_usize..3000,
        ) {
            let mut bytes = Vec::new();
            for (index, byte) in said {
                bytes.extend(frame::encode(CONVERSATION[index].as_bytes()));
                if byte == 0 {
                    bytes.push(byte);
                }
            }
            fuzz(&bytes, cut);
        }
    }

    const CONVERSATION: [&str; 12] = [
        r#"{"seq":1,"type":"request","command":"attach","arguments":{"mode":"local","substitutePath":[1]}}"#,
        r#"{"seq":1,"type":"request","command":"configurationDone"}"#,
        r#"{"seq":1,"type":"request","command":"continue","arguments":[]}"#,
        r#"{"seq":1,"type":"request","command":"setBreakpoints","arguments":{"source":7,"breakpoints":[{}]}}"#,
        r#"{"seq":1,"type":"request","command":"setFunctionBreakpoints","arguments":{"breakpoints":[{}]}}"#,
        r#"{"seq":1,"type":"request","command":"disconnect","arguments":{"terminateDebuggee":true}}"#,
        r#"{"seq":1,"type":"request","command":"launch","arguments":{"program":"/bin/sh"}}"#,
        r#"{"seq":9,"type":"response","request_seq":1,"command":"attach","success":true,"body":7}"#,
        r#"{"seq":9,"type":"response","request_seq":2,"command":"x","success":true}"#,
        r#"{"seq":9,"type":"event","event":"stopped"}"#,
        r#"{"seq":9,"type":"event","event":"terminated"}"#,
        "[]",
    ];
}
