//! What may come out of a tunnel, and how much may be put into one.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::wire::{MAX_PUT, TUNNEL_CHUNK, TUNNEL_ROOM};

const SOMEWHERE: Addr = Addr::V4([127, 0, 0, 1], 80);

impl Hijacked {
    /// Waits for the next request, and gives what it asks, in the words of a debugger.
    fn hear_what(&mut self) -> String {
        let mut prefix = [0; wire::PREFIX];
        self.socket.read_exact(&mut prefix).unwrap();
        let mut frame = vec![0; u32::from_le_bytes(prefix) as usize];
        self.socket.read_exact(&mut frame).unwrap();
        match wire::decode::<Request<'_>>(&frame).unwrap().op {
            Op::Put { of, bytes } => format!("put {} into {of}", bytes.len()),
            other => format!("{other:?}"),
        }
    }
}

/// What is read from a tunnel in the hands of somebody who says this, when all of it has come; and whether that was cut off for it.
async fn says(all: &'static [Body<'static>]) -> (io::Result<usize>, bool) {
    let (shim, leash) = against(move |mut shim| {
        let id = shim.hear();
        for &body in all {
            shim.say(id, body);
        }
        // What comes after all that.
        let next = shim.hear();
        shim.say(next, Body::Stat(Stat::default()));
        shim.stay();
    })
    .await;
    let mut tunnel = Tunnel::open(&shim.connection, SOMEWHERE).await;
    let after = shim.stat(b"/", true).await;
    let result = match &mut tunnel {
        Ok(tunnel) => {
            let mut all = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(10), tunnel.read_to_end(&mut all)).await;
            read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        }
        Err(error) => Err(io::Error::other(error.clone())),
    };
    let is_cut = matches!(after, Err(Error::Protocol(_)));
    if is_cut {
        pulled(&leash).await;
    }
    (result, is_cut)
}

#[tokio::test]
async fn what_it_may_not_say() {
    const DATA: Body<'_> = Body::Data(b"x");
    const JOINED: Body<'_> = Body::Joined;
    const MUCH: [Body<'_>; 10] = [JOINED, DATA, DATA, DATA, DATA, DATA, DATA, DATA, DATA, DATA];
    const LONG: &[u8] = &[0; TUNNEL_CHUNK + 1];
    assert!(MUCH.len() > connection::WINDOW as usize + 1);
    let lies: [&'static [Body<'_>]; 11] = [
        &[DATA],
        &[Body::Silent],
        &[JOINED, JOINED],
        &[JOINED, Body::Data(LONG)],
        &[JOINED, Body::Data(b"")],
        &[JOINED, Body::Taken(1)],
        &[JOINED, Body::End],
        &[JOINED, Body::Silent, DATA],
        &[JOINED, Body::Silent, Body::Silent],
        &[JOINED, Body::Gone],
        &MUCH,
    ];
    for lie in lies {
        let (_, is_cut) = says(lie).await;
        assert!(is_cut, "{lie:?}");
    }
}

#[tokio::test]
async fn how_it_may_end() {
    const RESET: Body<'_> = Body::Failed(wire::Failure::Errno(libc::ECONNRESET));
    const REFUSED: Body<'_> = Body::Failed(wire::Failure::Errno(libc::ECONNREFUSED));
    let (whole, is_cut) = says(&[Body::Joined, Body::Data(b"abc"), Body::Silent, Body::End]).await;
    assert_eq!((whole.unwrap(), is_cut), (3, false));
    let (broken, is_cut) = says(&[Body::Joined, Body::Data(b"abc"), RESET]).await;
    assert_eq!((broken.unwrap_err().kind(), is_cut), (io::ErrorKind::ConnectionReset, false));
    let (refused, is_cut) = says(&[REFUSED]).await;
    assert!(refused.is_err() && !is_cut);
}

/// No more is put into it than there is room for, until that was taken; and it is closed when nobody wants it any more, but not before all is on its way.
#[tokio::test]
async fn no_more_is_put_than_there_is_room_for() {
    let (tell, told) = std::sync::mpsc::channel();
    let (shim, leash) = against(move |mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Joined);
        let mut left = TUNNEL_ROOM;
        while left > 0 {
            let next = left.min(MAX_PUT);
            assert_eq!(shim.hear_what(), format!("put {next} into {id}"));
            left -= next;
        }
        // More does not come before this.
        shim.say(id, Body::Taken(5));
        assert_eq!(shim.hear_what(), format!("put 5 into {id}"));
        assert_eq!(shim.hear_what(), format!("Hush {{ of: {id} }}"));
        // It is not given up before all that was put is on its way.
        shim.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(shim.socket.read(&mut [0]).is_err());
        shim.socket.set_read_timeout(None).unwrap();
        shim.say(id, Body::Taken(u32::try_from(TUNNEL_ROOM).unwrap()));
        assert_eq!(shim.hear_what(), format!("Cancel {{ of: {id} }}"));
        tell.send(()).unwrap();
        shim.stay();
    })
    .await;
    let mut tunnel = Tunnel::open(&shim.connection, SOMEWHERE).await.unwrap();
    tunnel.write_all(&vec![0; TUNNEL_ROOM + 5]).await.unwrap();
    tunnel.shutdown().await.unwrap();
    drop(tunnel);
    tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(10)).unwrap()).await.unwrap();
    assert_eq!(leash.load(Ordering::SeqCst), 0);
}

/// Whoever waits for room is told when nobody takes anything any more.
#[tokio::test]
async fn nobody_waits_for_room_that_does_not_come() {
    let (shim, _) = against(|mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Joined);
        let mut left = TUNNEL_ROOM;
        while left > 0 {
            shim.hear();
            left -= left.min(MAX_PUT);
        }
        shim.say(id, Body::Failed(wire::Failure::Errno(libc::EPIPE)));
        shim.stay();
    })
    .await;
    let mut tunnel = Tunnel::open(&shim.connection, SOMEWHERE).await.unwrap();
    let error = tunnel.write_all(&vec![0; TUNNEL_ROOM + 1]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

/// Who takes what cannot have come to it would have us keep it all.
#[tokio::test]
async fn what_it_says_was_taken_must_have_been_sent() {
    let (tell, full) = std::sync::mpsc::channel();
    let (shim, leash) = against(move |mut shim| {
        let id = shim.hear();
        shim.say(id, Body::Joined);
        // It reads no more.
        while full.recv().is_ok() {
            shim.say(id, Body::Taken(u32::try_from(TUNNEL_ROOM).unwrap()));
        }
    })
    .await;
    let mut tunnel = Tunnel::open(&shim.connection, SOMEWHERE).await.unwrap();
    let block = vec![0; TUNNEL_ROOM];
    let error = loop {
        match tunnel.write_all(&block).await {
            Ok(()) => tell.send(()).unwrap(),
            Err(error) => break error,
        }
    };
    pulled(&leash).await;
    assert!(error.to_string().contains("it took what was not sent"), "{error}");
}
