//! What every door must carry.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use super::forwarded::Forwarded;

/// The ports of `tests/fixtures/ports` that each of these uses, in this order.
pub const PORTS: [&str; 5] = [":7100", ":7103", ":7104", ":7106", ":9"];
const ECHO: usize = 0;
const POUR: usize = 2;
const STUCK: usize = 3;
const NOBODY: usize = 4;
/// How many connections are open at once.
const MANY: usize = 64;
/// How much goes each way through one.
const LARGE: usize = 100 << 20;
const BLOCK: usize = 64 << 10;

/// Many at once, each with words of its own, and all of them open until the last has its answer.
pub fn many_at_once(forward: &Forwarded) {
    let mut all: Vec<TcpStream> = (0..MANY).map(|_| forward.connect(ECHO)).collect();
    for (at, stream) in all.iter_mut().enumerate() {
        write!(stream, "this is {at:04}").unwrap();
    }
    for (at, stream) in all.iter_mut().enumerate() {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *format!("this is {at:04}").as_bytes());
    }
}

/// A hundred MiB each way at the same time, and not a byte is lost, doubled or moved.
pub fn large_both_ways(forward: &Forwarded) {
    let stream = forward.connect(ECHO);
    let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
    // Each block is another piece of this, so that one in the wrong place is seen.
    let bytes: Arc<Vec<u8>> = Arc::new((0..=250).cycle().take(BLOCK + 251).collect());
    let blocks = LARGE / BLOCK;
    let said = Arc::clone(&bytes);
    let writer = thread::spawn(move || {
        for at in 0..blocks {
            to.write_all(&said[at % 251..][..BLOCK]).unwrap();
        }
    });
    let mut came = vec![0; BLOCK];
    for at in 0..blocks {
        from.read_exact(&mut came).unwrap_or_else(|error| panic!("block {at} of {blocks}: {error}"));
        assert!(came == bytes[at % 251..][..BLOCK], "block {at}");
    }
    writer.join().unwrap();
}

/// Who does not read, and who is not read, keep nobody else from being served.
pub fn a_slow_one_is_alone(forward: &Forwarded) {
    let mut unread = forward.connect(POUR);
    writeln!(unread, "{LARGE}").unwrap();
    let mut unheard = forward.connect(STUCK);
    unheard.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    let block = vec![0; 1 << 20];
    // Until it takes no more.
    let full = loop {
        if let Err(error) = unheard.write(&block) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    many_at_once(forward);
    // It was kept waiting, and has lost nothing.
    let mut rest = Vec::new();
    unread.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), LARGE);
}

/// An answer comes whole to who has said all.
pub fn an_answer_outlives_its_question(forward: &Forwarded) {
    assert_eq!(forward.ask(POUR, "5000000\n").len(), 5_000_000);
}

/// A port on which nobody listens ends the connection, is told once, and stays forwarded.
pub fn nobody_listens(forward: &Forwarded) {
    for _ in 0..3 {
        let mut stream = forward.connect(NOBODY);
        let got = stream.read(&mut [0]);
        assert!(
            matches!(&got, Ok(0)) || got.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset),
            "{got:?}"
        );
    }
    forward.wait_to_say("nothing listens on port 9 in ");
    assert_eq!(forward.said().matches("nothing listens").count(), 1, "{}", forward.said());
    many_at_once(forward);
}
