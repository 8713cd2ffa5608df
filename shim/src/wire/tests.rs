use super::*;

/// Golden bytes: a change of these is a change of the protocol, and takes a new [`VERSION`].
#[test]
fn golden_bytes() {
    let path = b"/a";
    let requests: &[(Op<'_>, &[u8])] = &[
        (Op::List { path, stat: true, credit: 8 }, &[7, 0, 0, 0, 5, 0, 2, b'/', b'a', 1, 8]),
        (Op::Stat { path, follow: false }, &[6, 0, 0, 0, 5, 1, 2, b'/', b'a', 0]),
        (Op::Read { path, offset: 1, len: 300, credit: 8 }, &[9, 0, 0, 0, 5, 2, 2, b'/', b'a', 1, 0xac, 2, 8]),
        (Op::ReadLink { path }, &[5, 0, 0, 0, 5, 3, 2, b'/', b'a']),
        (Op::Open { path, kind: OpenKind::File }, &[6, 0, 0, 0, 5, 4, 2, b'/', b'a', 0]),
        (Op::Open { path, kind: OpenKind::Create { mode: 3 } }, &[7, 0, 0, 0, 5, 4, 2, b'/', b'a', 2, 3]),
        (Op::Connect { addr: Addr::V4([127, 0, 0, 1], 80) }, &[8, 0, 0, 0, 5, 5, 0, 127, 0, 0, 1, 80]),
        (Op::Statfs { path }, &[5, 0, 0, 0, 5, 6, 2, b'/', b'a']),
        (Op::Watch, &[2, 0, 0, 0, 5, 7]),
        (Op::Credit { of: 3, chunks: 4 }, &[4, 0, 0, 0, 5, 8, 3, 4]),
        (Op::Cancel { of: 3 }, &[3, 0, 0, 0, 5, 9, 3]),
        (Op::Root { pid: 7 }, &[3, 0, 0, 0, 5, 10, 14]),
        (Op::Parts { path, parts: &[0xac, 2, 8] }, &[9, 0, 0, 0, 5, 11, 2, b'/', b'a', 3, 0xac, 2, 8]),
        (Op::Memory { pid: 7, parts: &[0xac, 2, 8] }, &[7, 0, 0, 0, 5, 12, 14, 3, 0xac, 2, 8]),
        (Op::Tunnel { addr: Addr::V4([127, 0, 0, 1], 80), credit: 8 }, &[9, 0, 0, 0, 5, 13, 0, 127, 0, 0, 1, 80, 8]),
        (Op::Put { of: 3, bytes: b"x" }, &[5, 0, 0, 0, 5, 14, 3, 1, b'x']),
        (Op::Hush { of: 3 }, &[3, 0, 0, 0, 5, 15, 3]),
    ];
    for (op, bytes) in requests {
        let mut buffer = [0; 64];
        assert_eq!(encode(&Request { id: 5, op: *op }, &mut buffer).unwrap(), *bytes, "{op:?}");
        assert_eq!(decode::<Request<'_>>(&bytes[PREFIX..]), Ok(Request { id: 5, op: *op }));
    }
    let hello = Hello { version: 1, uid: 2, gid: 3, caps: 4, passes: true, writes: false, watches: true };
    let stat = Stat { mode: 1, size: 2, mtime: -1, ..Stat::default() };
    let replies: &[(Body<'_>, &[u8])] = &[
        (Body::Hello(hello), &[9, 0, 0, 0, 5, 0, 1, 2, 3, 4, 1, 0, 1]),
        (Body::Entries(b"x"), &[4, 0, 0, 0, 5, 1, 1, b'x']),
        (Body::Data(b"x"), &[4, 0, 0, 0, 5, 2, 1, b'x']),
        (Body::End, &[2, 0, 0, 0, 5, 3]),
        (Body::Stat(stat), &[15, 0, 0, 0, 5, 4, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        (Body::Statfs(Statfs::default()), &[8, 0, 0, 0, 5, 5, 0, 0, 0, 0, 0, 0]),
        (Body::Opened(stat), &[15, 0, 0, 0, 5, 6, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        (Body::Connected, &[2, 0, 0, 0, 5, 7]),
        (Body::Gone, &[2, 0, 0, 0, 5, 8]),
        (Body::Failed(Failure::Errno(2)), &[4, 0, 0, 0, 5, 9, 0, 4]),
        (Body::Failed(Failure::WrongKind(9)), &[4, 0, 0, 0, 5, 9, 1, 9]),
        (Body::Failed(Failure::NotAllowed), &[3, 0, 0, 0, 5, 9, 2]),
        (Body::Failed(Failure::Busy), &[3, 0, 0, 0, 5, 9, 3]),
        (Body::Failed(Failure::Malformed), &[3, 0, 0, 0, 5, 9, 4]),
        (Body::Joined, &[2, 0, 0, 0, 5, 10]),
        (Body::Taken(300), &[4, 0, 0, 0, 5, 11, 0xac, 2]),
        (Body::Silent, &[2, 0, 0, 0, 5, 12]),
    ];
    for (body, bytes) in replies {
        let mut buffer = [0; 64];
        assert_eq!(encode(&Reply { id: 5, body: *body }, &mut buffer).unwrap(), *bytes, "{body:?}");
        assert_eq!(decode::<Reply<'_>>(&bytes[PREFIX..]), Ok(Reply { id: 5, body: *body }));
    }
}

#[test]
fn frames_are_bounded() {
    assert_eq!(frame(&[], 8), Ok(None));
    assert_eq!(frame(&[2, 0, 0], 8), Ok(None));
    assert_eq!(frame(&[2, 0, 0, 0, 7], 8), Ok(None));
    assert_eq!(frame(&[2, 0, 0, 0, 7, 7, 9], 8), Ok(Some(&[7, 7][..])));
    assert_eq!(frame(&[0, 0, 0, 0], 8), Err(Malformed));
    assert_eq!(frame(&[9, 0, 0, 0], 8), Err(Malformed));
    assert_eq!(frame(&[0xff; 4], MAX_FRAME), Err(Malformed));
}

#[test]
fn a_message_fills_its_frame() {
    assert_eq!(decode::<Request<'_>>(&[5, 7]), Ok(Request { id: 5, op: Op::Watch }));
    assert_eq!(decode::<Request<'_>>(&[5, 7, 0]), Err(Malformed));
    assert_eq!(decode::<Request<'_>>(&[5]), Err(Malformed));
    assert_eq!(decode::<Request<'_>>(&[5, 16]), Err(Malformed));
}

#[test]
fn parts_are_packed_one_after_another() {
    let (parts, mut packed, mut used) =
        ([Part { offset: 300, len: 8 }, Part { offset: u64::MAX, len: u32::MAX }], [0; 64], 0);
    for part in parts {
        used += part.encode(&mut packed[used..]).unwrap();
    }
    assert_eq!(packed[..3], [0xac, 2, 8]);
    let (first, rest) = Part::decode(&packed[..used]).unwrap();
    assert_eq!((first, Part::decode(rest)), (parts[0], Ok((parts[1], &[][..]))));
    assert_eq!((Part::decode(&[]), Part::decode(&[0x80, 1])), (Err(Malformed), Err(Malformed)));
    assert_eq!(parts[1].encode(&mut [0; 14]), None);
}

#[test]
fn the_longest_path_fits_a_request() {
    let path = [b'a'; MAX_PATH];
    let mut buffer = [0; MAX_REQUEST + PREFIX];
    let parts = &[0; MAX_PARTS];
    assert!(encode(&Request { id: u32::MAX, op: Op::Parts { path: &path, parts } }, &mut buffer).is_some());
    assert!(
        encode(&Request { id: u32::MAX, op: Op::List { path: &path, stat: true, credit: u32::MAX } }, &mut buffer)
            .is_some()
    );
    let put = Op::Put { of: u32::MAX, bytes: &[0; MAX_PUT] };
    assert!(encode(&Request { id: u32::MAX, op: put }, &mut buffer).is_some());
}
