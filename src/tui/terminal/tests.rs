//! The guard on a real pseudo terminal. The test program starts itself again: as the child it takes the terminal and
//! ends in one of the ways there are; as the parent it looks at what is left.

use std::io::Read as _;
use std::sync::mpsc;
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::*;

const WAY: &str = "SCRATCHDBG_TEST_WAY_OUT";
/// Only a child that hangs takes that long.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the child does.
#[test]
fn child() {
    let Ok(way) = std::env::var(WAY) else { return };
    let mut guard = Guard::enter().expect("no terminal");
    let mut terminal = guard.terminal().expect("no terminal");
    terminal.draw(|frame| frame.render_widget("drawn", frame.area())).expect("cannot draw");
    {
        let mut console = &mut guard;
        console.mouse(true).expect("no mouse");
        console.begin().expect("no frame");
    }
    match way.as_str() {
        "panic" => panic!("the child panics"),
        "task" => {
            let _ = std::thread::spawn(|| panic!("a task panics")).join();
            assert!(OURS.load(Ordering::SeqCst), "the terminal was given away");
        }
        "twice" => {
            leave();
            leave();
        }
        _ => {}
    }
    drop(guard);
    // To be seen where the shell's next line would be.
    println!("after");
}

/// What is left on a terminal after the child ended in some way, and whether it is still raw.
fn after(way: &str) -> (vt100::Parser, Vec<u8>) {
    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tui::terminal::tests::child", "--nocapture", "--test-threads=1"]);
    command.env(WAY, way);
    command.env("RUST_BACKTRACE", "0");
    let mut child = pty.slave.spawn_command(command).unwrap();
    let mut reader = pty.master.try_clone_reader().unwrap();
    drop(pty.slave);
    let (done, bytes) = mpsc::channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        // The end of a pseudo terminal is an error (EIO) on Linux.
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            all.extend_from_slice(&buffer[..read]);
        }
        let _ = done.send(all);
    });
    let bytes = bytes.recv_timeout(DEADLINE).expect("the child hangs");
    let _ = child.wait();
    let mut parser = vt100::Parser::new(24, 80, 0);
    parser.process(&bytes);
    (parser, bytes)
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    for way in ["quit", "panic", "task", "twice"] {
        let (parser, bytes) = after(way);
        let screen = parser.screen();
        let contents = screen.contents();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("drawn"), "{way}: {contents}");
        assert!(!screen.alternate_screen(), "{way}: {contents}");
        assert!(!screen.hide_cursor(), "{way}: {contents}");
        assert!(!screen.bracketed_paste(), "{way}: {contents}");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "{way}: {contents}");
        assert!(text.contains("\x1b[?1000h") && !text.contains("\x1b[?1003h"), "{way}: clicks, not motion");
        assert!(text.rfind("\x1b[?2026l") > text.rfind("\x1b[?2026h"), "{way}: a frame was left open");
        if way == "panic" {
            assert!(contents.contains("the child panics"), "a panic is read on the old screen: {contents}");
        } else {
            assert!(contents.contains("after"), "{way}: {contents}");
        }
        // In raw mode a line would not end with a carriage return.
        assert!(text.ends_with("\r\n"), "{way}");
    }
}
