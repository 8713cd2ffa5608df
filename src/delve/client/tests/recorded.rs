//! Recorded sessions with several Delves, played again. `scripts/record-delve` makes them.
//!
//! A file has what was said, line by line: `>` to Delve, `<` from it.

use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream};

use super::scenario;

/// Plays Delve's part. Whatever is asked must be what was asked then.
async fn play(recorded: &str, stream: DuplexStream) {
    let (from, mut to) = tokio::io::split(stream);
    let mut asked = BufReader::new(from).lines();
    for (number, line) in recorded.lines().enumerate() {
        match line.split_at(2) {
            ("> ", request) => {
                let line = asked.next_line().await.unwrap().unwrap_or_default();
                assert_eq!(line, request, "request on line {}", number + 1);
            }
            ("< ", reply) => {
                to.write_all(reply.as_bytes()).await.unwrap();
                to.write_all(b"\n").await.unwrap();
            }
            _ => panic!("line {} is no part of a conversation", number + 1),
        }
    }
}

macro_rules! replays {
    ($($name:ident: $scenario:ident, $file:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let playing = tokio::spawn(play(include_str!(concat!("../../rpc/recorded/", $file)), theirs));
            let seen = scenario::$scenario(ours).await;
            playing.await.unwrap();
            insta::assert_snapshot!(seen);
        }
    )*};
}

replays! {
    core_of_go_1_19_in_1_20: core, "1.20-core.txt";
    core_of_go_1_24_in_1_24: core, "1.24-core.txt";
    core_of_go_1_27_in_1_27: core, "1.27-core.txt";
    live_go_1_19_in_1_20: live, "1.20-live.txt";
    live_go_1_24_in_1_24: live, "1.24-live.txt";
    live_go_1_27_in_1_27: live, "1.27-live.txt";
    panic_of_go_1_27_in_1_27: panic, "1.27-panic.txt";
}

/// Copies both ways, and writes down what is said. Whole lines, in the order in which they pass.
async fn overhear(delve: impl AsyncRead + AsyncWrite + Send + 'static, ours: DuplexStream) -> String {
    let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let copy =
        |mark: &'static str, from: Box<dyn AsyncRead + Send + Unpin>, mut to: Box<dyn AsyncWrite + Send + Unpin>| {
            let said = std::sync::Arc::clone(&said);
            tokio::spawn(async move {
                let mut lines = BufReader::new(from).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    use std::fmt::Write as _;
                    writeln!(said.lock().unwrap(), "{mark} {line}").unwrap();
                    to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
                }
                // Who hangs up is told to the other.
                drop(to.shutdown().await);
            })
        };
    let (from_us, to_us) = tokio::io::split(ours);
    let (from_delve, to_delve) = tokio::io::split(delve);
    let back = copy("<", Box::new(from_delve), Box::new(to_us));
    let there = copy(">", Box::new(from_us), Box::new(to_delve));
    back.await.unwrap();
    there.abort();
    said.lock().unwrap().clone()
}

/// Records a session with the Delve that listens on `DELVE_AT`, of the kind `DELVE_KIND`, into the file `DELVE_INTO`.
#[tokio::test]
#[ignore = "scripts/record-delve runs it"]
async fn record() {
    let of = |name: &str| std::env::var(name).unwrap();
    let delve = tokio::net::TcpStream::connect(of("DELVE_AT")).await.unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let said = tokio::spawn(overhear(delve, theirs));
    let seen = match of("DELVE_KIND").as_str() {
        "core" => scenario::core(ours).await,
        "live" => scenario::live(ours).await,
        _ => scenario::panic(ours).await,
    };
    eprintln!("{seen}");
    std::fs::write(Path::new(&of("DELVE_INTO")), said.await.unwrap()).unwrap();
}
