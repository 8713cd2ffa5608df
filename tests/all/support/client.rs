//! A client of the sample web server, who asks while something else is done.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::container::Container;
use super::engine::docker;
use super::process::has_ended;
use super::wait;

/// How often it asked for a page and got it, and how often it did not.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub answered: usize,
    pub failed: usize,
}

/// Asks a shop that publishes its port whether it is well, again and again while something is done, and until there were some
/// answers.
pub fn asked_meanwhile(shop: &Container, breath: Duration, work: impl FnOnce()) -> Tally {
    asked_for("/healthz", Duration::from_secs(2), shop, breath, work)
}

/// The same, for any path, with as long as it may take to answer.
pub fn asked_for(path: &str, patience: Duration, shop: &Container, breath: Duration, work: impl FnOnce()) -> Tally {
    let (pid, address) = (shop.pid(), docker(&["port", shop.id(), "8080/tcp"]));
    let (over, answered, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let counter = if answers(&address, path, patience) { &answered } else { &failed };
                counter.fetch_add(1, Ordering::Relaxed);
                wait::exactly(breath);
                assert!(!has_ended(pid), "the target itself has ended");
            }
        });
        work();
        wait::until("some answers", || (answered.load(Ordering::Relaxed) > 3).then_some(()));
        over.store(true, Ordering::Relaxed);
    });
    Tally { answered: answered.into_inner(), failed: failed.into_inner() }
}

fn answers(address: &str, path: &str, patience: Duration) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(patience))?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().is_ok_and(|text| text.starts_with("HTTP/1.0 ") && !text.starts_with("HTTP/1.0 5"))
}
