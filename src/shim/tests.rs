//! A shim that has been taken over says whatever it likes: each lie must end the connection, and nothing else.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::*;
use crate::wire::{Body, Entry, Hello, Reply, Request, Stat, VERSION};

mod tunnels;

/// The other end, in the hands of an attacker.
struct Hijacked {
    socket: UnixStream,
}

impl Hijacked {
    fn say(&mut self, id: u32, body: Body<'_>) {
        let mut buffer = vec![0; wire::MAX_FRAME + wire::PREFIX];
        let frame = wire::encode(&Reply { id, body }, &mut buffer).unwrap();
        self.raw(frame);
    }

    fn raw(&mut self, bytes: &[u8]) {
        // The host may have cut the connection already, which is what the tests are after.
        let _ = self.socket.write_all(bytes);
    }

    fn pass(&self, id: u32, body: Body<'_>, fds: &[BorrowedFd<'_>]) {
        let mut buffer = vec![0; 4096];
        let frame = wire::encode(&Reply { id, body }, &mut buffer).unwrap();
        let fds: Vec<_> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let parts = [std::io::IoSlice::new(frame)];
        sendmsg::<()>(self.socket.as_raw_fd(), &parts, &[ControlMessage::ScmRights(&fds)], MsgFlags::empty(), None)
            .unwrap();
    }

    /// Stays until it is cut off.
    fn stay(mut self) {
        let _ = self.socket.read_to_end(&mut Vec::new());
    }

    /// Waits for the next request, and gives its id.
    fn hear(&mut self) -> u32 {
        let mut prefix = [0; wire::PREFIX];
        self.socket.read_exact(&mut prefix).unwrap();
        let mut frame = vec![0; u32::from_le_bytes(prefix) as usize];
        self.socket.read_exact(&mut frame).unwrap();
        wire::decode::<Request<'_>>(&frame).unwrap().id
    }
}

fn hello() -> Body<'static> {
    let (uid, gid, caps) = (0, 0, 0);
    Body::Hello(Hello { version: VERSION, uid, gid, caps, passes: true, writes: false, watches: true })
}

/// Starts a client against `play`, and gives it with the count of how often its leash was pulled.
async fn against(play: impl FnOnce(Hijacked) + Send + 'static) -> (Shim, Arc<AtomicUsize>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let pulled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pulled);
    std::thread::spawn(move || {
        let mut hijacked = Hijacked { socket: theirs };
        hijacked.say(0, hello());
        play(hijacked);
    });
    let leash = Leash::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (Shim::start(ours, leash).await.unwrap(), pulled)
}

/// Waits, with a deadline, for the leash to have been pulled: it happens on a thread of its own.
async fn pulled(leash: &AtomicUsize) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while leash.load(Ordering::SeqCst) != 1 {
        assert!(std::time::Instant::now() < deadline, "the helper was not cut off");
        tokio::task::yield_now().await;
    }
}

async fn is_cut_off(play: impl FnOnce(Hijacked) + Send + 'static) {
    let (shim, leash) = against(play).await;
    let error = shim.stat(b"/", true).await.unwrap_err();
    assert!(matches!(error, Error::Protocol(_)), "{error}");
    pulled(&leash).await;
    // It stays so.
    assert!(matches!(shim.readlink(b"/").await, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn a_frame_that_is_too_long() {
    is_cut_off(|mut shim| {
        shim.hear();
        shim.raw(&u32::MAX.to_le_bytes());
    })
    .await;
}

#[tokio::test]
async fn an_empty_frame() {
    is_cut_off(|mut shim| {
        shim.hear();
        shim.raw(&[0; 4]);
    })
    .await;
}

#[tokio::test]
async fn noise() {
    is_cut_off(|mut shim| {
        shim.hear();
        shim.raw(&[8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_nothing() {
    is_cut_off(|mut shim| {
        let id = shim.hear();
        shim.say(id + 1, Body::End);
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_another_question() {
    is_cut_off(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Data(b"a link, and not a stat"));
        shim.stay();
    })
    .await;
}

#[tokio::test]
async fn other_parts_than_were_asked_for() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Data(&[9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        shim.stay();
    })
    .await;
    let parts = Parts::asked(shim, Asked::File(b"/a".to_vec()));
    let read = move || parts.read(&[wire::Part { offset: 0, len: 4 }], &mut Vec::new());
    let error = tokio::task::spawn_blocking(read).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Protocol(_)), "{error}");
    pulled(&leash).await;
}

#[tokio::test]
async fn a_second_greeting() {
    is_cut_off(|mut shim| {
        shim.hear();
        shim.say(0, hello());
    })
    .await;
}

#[tokio::test]
async fn a_descriptor_nobody_asked_for() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        let null = std::fs::File::open("/dev/null").unwrap();
        shim.pass(id, Body::Stat(Stat::default()), &[null.as_fd()]);
        shim.stay();
    })
    .await;
    // The answer itself is one; what came with it is found right after.
    shim.stat(b"/", true).await.unwrap();
    pulled(&leash).await;
    assert!(matches!(shim.stat(b"/", true).await, Err(Error::Protocol(_))));
}

/// All that the kernel gives are owned, and closed.
#[tokio::test]
async fn more_descriptors_than_anybody_asks_for() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        let null = std::fs::File::open("/dev/null").unwrap();
        shim.pass(id, Body::Stat(Stat::default()), &[null.as_fd(); 253]);
        shim.stay();
    })
    .await;
    let ours = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = ours();
    let error = shim.stat(b"/", true).await.unwrap_err();
    assert!(matches!(error, Error::Protocol("more descriptors than were asked for")), "{error}");
    pulled(&leash).await;
    assert!(ours() <= before, "{} and then {}", before, ours());
}

/// On a slow way other things stand before the answer, and nobody is cut off for it: unless that goes on and on.
#[tokio::test]
async fn an_answer_that_other_things_stand_before() {
    let (shim, leash) = against(|mut shim| {
        loop {
            let id = shim.hear();
            shim.say(id, Body::Stat(Stat::default()));
        }
    })
    .await;
    let chatter = async {
        while shim.stat(b"/", true).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::future::pending::<()>().await;
    };
    let waits = async {
        let second = Duration::from_secs(1);
        let late = shim.connection.within(second, tokio::time::sleep(second * 3)).await;
        assert!(late.is_ok(), "{late:?}");
        let never = shim.connection.within(Duration::from_millis(100), std::future::pending::<()>()).await;
        assert!(matches!(never, Err(Error::TimedOut(_))), "{never:?}");
    };
    tokio::select! {
        () = chatter => unreachable!(),
        () = waits => {}
    }
    pulled(&leash).await;
}

#[tokio::test]
async fn a_descriptor_that_does_not_come() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Opened(Stat::default()));
        shim.stay();
    })
    .await;
    assert!(matches!(shim.bulk(b"/file").await, Err(Error::Protocol(_))));
    pulled(&leash).await;
}

#[tokio::test]
async fn a_descriptor_of_another_kind() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        let null = std::fs::File::open("/dev/null").unwrap();
        shim.pass(id, Body::Opened(Stat { mode: libc::S_IFREG, ..Stat::default() }), &[null.as_fd()]);
        shim.stay();
    })
    .await;
    assert!(matches!(shim.bulk(b"/file").await, Err(Error::Protocol(_))));
    pulled(&leash).await;
}

#[tokio::test]
async fn a_stream_that_outruns_its_credit() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        for _ in 0..=connection::WINDOW {
            shim.say(id, Body::Data(b"more"));
        }
        shim.stay();
    })
    .await;
    let mut stream = shim.read_range(b"/file", 0, u64::MAX);
    // Nothing is taken, so nothing is granted, until the helper has been cut off.
    pulled(&leash).await;
    let mut last = stream.next().await;
    while let Some(Ok(_)) = last {
        last = stream.next().await;
    }
    assert!(matches!(last, Some(Err(Error::Protocol(_)))), "{last:?}");
}

#[tokio::test]
async fn more_bytes_than_were_asked_for() {
    let (shim, leash) = against(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Data(&[b'x'; 100]));
        shim.stay();
    })
    .await;
    assert!(matches!(shim.read_range(b"/file", 0, 99).next().await, Some(Err(Error::Protocol(_)))));
    pulled(&leash).await;
}

#[tokio::test]
async fn an_endless_file_is_bounded() {
    let (shim, _) = against(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Data(&[b'x'; 101]));
        shim.say(id, Body::End);
        shim.stay();
    })
    .await;
    assert!(matches!(shim.read(b"/dev/zero", 100).await, Err(Error::TooLarge(100))));
}

#[tokio::test]
async fn a_name_that_leads_elsewhere() {
    for name in ["..", ".", "", "a/b", "a\0b"] {
        let (shim, leash) = against(move |mut shim| {
            let id = shim.hear();
            let mut packed = [0; 64];
            let len = Entry { name: name.as_bytes(), kind: 0, stat: None }.encode(&mut packed).unwrap();
            shim.say(id, Body::Entries(&packed[..len]));
            shim.stay();
        })
        .await;
        assert!(matches!(shim.list(b"/", false).next().await, Some(Err(Error::Protocol(_)))), "{name:?}");
        pulled(&leash).await;
    }
}

#[tokio::test]
async fn silence() {
    let (shim, leash) = against(Hijacked::stay).await;
    // From here on the clock runs when everybody waits.
    tokio::time::pause();
    assert!(matches!(shim.stat(b"/", true).await, Err(Error::TimedOut(_))));
    pulled(&leash).await;
    assert!(matches!(shim.list(b"/", true).next().await, Some(Err(Error::TimedOut(_)))));
}

#[tokio::test]
async fn another_version() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut hijacked = Hijacked { socket: theirs };
    hijacked.say(
        0,
        match hello() {
            Body::Hello(hello) => Body::Hello(Hello { version: VERSION + 1, ..hello }),
            other => other,
        },
    );
    assert!(matches!(Shim::start(ours, Leash::new(|| {})).await, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn a_helper_that_ends_is_no_liar() {
    let (shim, leash) = against(|mut shim| {
        shim.hear();
    })
    .await;
    assert!(matches!(shim.stat(b"/", true).await, Err(Error::Closed)));
    assert_eq!(leash.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_was_given_up_is_thrown_away() {
    let (shim, leash) = against(|mut shim| {
        // A stream is opened and dropped; then a stat is asked for and given up; then one is waited for.
        let (stream, cancel, given_up) = (shim.hear(), shim.hear(), shim.hear());
        assert_eq!(cancel, 0);
        shim.say(stream, Body::Data(b"late"));
        shim.say(stream, Body::End);
        let wanted = shim.hear();
        shim.say(given_up, Body::Stat(Stat::default()));
        shim.say(wanted, Body::Stat(Stat { size: 7, ..Stat::default() }));
        shim.stay();
    })
    .await;
    drop(shim.read_range(b"/file", 0, 9));
    let given_up = tokio::time::timeout(Duration::ZERO, shim.stat(b"/", true)).await;
    assert!(given_up.is_err());
    assert_eq!(shim.stat(b"/", true).await.unwrap().size, 7);
    assert_eq!(leash.load(Ordering::SeqCst), 0);
}
