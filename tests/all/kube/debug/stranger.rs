//! Somebody else in the pod, of another user, who would like to speak with Delve.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use super::Pod;
use crate::guarded::is_as_before;
use crate::support::residue::Residue;
use crate::{require_delve, require_engine, require_root};

/// Sessions that are begun while somebody lies in wait.
const SESSIONS: u32 = 6;

/// Connects to every socket of Delve's in the pod's network, as soon as it is there, and asks it something.
struct Stranger {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(u32, Vec<u8>)>,
}

impl Stranger {
    fn of(pod: &Pod) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (network, end) = (File::open(format!("/proc/{}/ns/net", pod.app.pid())).unwrap(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            // Of this thread alone.
            setns(network, CloneFlags::CLONE_NEWNET).unwrap();
            let (mut connected, mut answered) = (Vec::<UnixStream>::new(), Vec::new());
            while !end.load(Ordering::Relaxed) {
                let Some(name) = listening() else { continue };
                let Ok(mut stream) = UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name).unwrap()) else {
                    continue;
                };
                let _ = stream.write_all(br#"{"method":"RPCServer.State","params":[{}],"id":1}"#);
                connected.push(stream);
                // Until that one has gone.
                while listening().as_ref() == Some(&name) && !end.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            }
            let count = u32::try_from(connected.len()).unwrap();
            for mut stream in connected {
                stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
                // One that was never taken in is reset.
                let _ = stream.read_to_end(&mut answered);
            }
            (count, answered)
        });
        Self { over, thread }
    }

    /// How often it has connected, and all that it was answered.
    fn end(self) -> (u32, Vec<u8>) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The name of Delve's socket, while it listens.
fn listening() -> Option<String> {
    let sockets = fs::read_to_string("/proc/thread-self/net/unix").unwrap();
    let mut names = sockets.lines().filter(|line| line.split_whitespace().nth(3) == Some("00010000"));
    names
        .find_map(|line| line.split_once('@').map(|(_, name)| name).filter(|name| name.starts_with("scratchdbg-dlv-")))
        .map(str::to_owned)
}

#[test]
fn delve_speaks_with_nobody_else() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let stranger = Stranger::of(&pod);
    let (mut ours, mut refused) = (0, 0);
    for _ in 0..SESSIONS {
        let mut session = pod.session(&["--keep=10m"]);
        let mut debugger = session.connect();
        let answer = debugger.tries("State", "{}");
        drop(debugger);
        is_as_before(&pod.app);
        let said = session.end();
        if answer.is_some() {
            ours += 1;
        } else {
            assert!(said.contains("somebody else in its pod was about to speak with dlv"), "{said}");
            refused += 1;
        }
    }
    let (connected, answered) = stranger.end();
    println!("{ours} sessions were ours alone, {refused} were ended; the stranger connected {connected} times");
    assert!(connected > 0, "nobody was there");
    assert_eq!(String::from_utf8_lossy(&answered), "");
    pod.has_nothing_of_ours(&before);
}
