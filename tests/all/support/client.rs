//! A client of the sample web server, who asks while something else is done.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::container::Container;
use super::process::has_ended;
use super::wait;

/// How often it asked for a page and got it, and how often it did not.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub answered: usize,
    pub failed: usize,
}

/// Says that it is over, also when what is done meanwhile has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How long a shop did not answer, at most.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    /// Between two answers that came after each other.
    pub longest: Duration,
    /// How many came.
    pub answered: usize,
}

/// Asks a shop that publishes its port whether it is well, over one connection after the other, every few milliseconds while
/// something is done.
///
/// # Panics
/// If a request is not answered.
pub fn longest_gap<T>(shop: &Container, work: impl FnOnce() -> T) -> (Gap, T) {
    let (address, over) = (shop.address(), AtomicBool::new(false));
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            let (mut last, mut longest, mut answered) = (Instant::now(), Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) {
                assert!(answers(&address, "/healthz", wait::PATIENCE), "a request was not answered");
                longest = longest.max(last.elapsed());
                (last, answered) = (Instant::now(), answered + 1);
                wait::exactly(Duration::from_millis(2));
            }
            Gap { longest, answered }
        });
        let done = {
            let _over = Over(&over);
            work()
        };
        (client.join().expect("every request is answered"), done)
    })
}

/// Asks a shop that publishes its port whether it is well, again and again while something is done, and until there were some
/// answers.
pub fn asked_meanwhile(shop: &Container, breath: Duration, work: impl FnOnce()) -> Tally {
    asked_for("/healthz", Duration::from_secs(2), shop, breath, work)
}

/// The same, for any path, with as long as it may take to answer.
pub fn asked_for(path: &str, patience: Duration, shop: &Container, breath: Duration, work: impl FnOnce()) -> Tally {
    let (pid, address) = (shop.pid(), shop.address());
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
        let _over = Over(&over);
        work();
        wait::until("some answers", || (answered.load(Ordering::Relaxed) > 3).then_some(()));
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
