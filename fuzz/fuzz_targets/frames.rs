//! What a shim that has been taken over may send, and what a host that has may ask.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scratchdbg::wire::{self, Body, Entry, MAX_FRAME, MAX_REQUEST, PREFIX, Reply, Request};

fuzz_target!(|data: &[u8]| {
    let mut bytes = data;
    while let Ok(Some(frame)) = wire::frame(bytes, MAX_FRAME) {
        if let Ok(reply) = wire::decode::<Reply<'_>>(frame) {
            // What was understood must be written the same way.
            let mut buffer = vec![0; MAX_FRAME + PREFIX];
            let again = wire::encode(&reply, &mut buffer).expect("a frame that was read fits a frame");
            assert_eq!(wire::decode::<Reply<'_>>(&again[PREFIX..]), Ok(reply));
            if let Body::Entries(mut packed) = reply.body {
                while let Ok((entry, rest)) = Entry::decode(packed) {
                    assert!(!entry.name.contains(&b'/') && !entry.name.is_empty());
                    packed = rest;
                }
            }
        }
        bytes = &bytes[PREFIX + frame.len()..];
    }
    if let Ok(Some(frame)) = wire::frame(data, MAX_REQUEST) {
        let _ = wire::decode::<Request<'_>>(frame);
    }
});
