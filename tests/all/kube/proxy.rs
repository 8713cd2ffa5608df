//! A cluster that is behind a proxy.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use fakekube::User;
use serde_json::Value;

use super::looker::{Looker, restricted};
use crate::require_engine;
use crate::support::command::run;

/// Listens, and lets whoever asks through to where they want to (RFC 9110, CONNECT). What they have said first is told.
fn proxy() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let tell = tell.clone();
            // Whoever hangs up ends it.
            thread::spawn(move || _ = through(client, &tell));
        }
    });
    (port, told)
}

fn through(mut client: TcpStream, tell: &mpsc::Sender<String>) -> io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(client.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let whom = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let _ = tell.send(head);
    let mut server = TcpStream::connect(whom)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut up, mut down) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || carry(&mut server, &mut down));
    carry(&mut reader, &mut up);
    Ok(())
}

fn carry(from: &mut impl Read, to: &mut TcpStream) {
    let _ = io::copy(from, to);
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn a_cluster_behind_a_proxy_is_reached_through_it() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let (port, told) = proxy();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let mut config: Value = serde_json::from_slice(&fs::read(jane.kubeconfig()).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["proxy-url"] = format!("http://me:hunter%402@127.0.0.1:{port}").into();
    fs::write(&file, config.to_string()).unwrap();
    // Questions, and the stream of an exec.
    let mut looks = jane.command(&["ls", "k8s://shop/web:/", "-q"]);
    looks.env("KUBECONFIG", &file);
    assert!(run(looks).ok().text().contains("shop"));
    let heads: Vec<String> = told.try_iter().collect();
    assert!(heads.len() > 1, "{heads:?}");
    // `me:hunter@2`, in base64.
    assert!(
        heads.iter().all(|head| head.starts_with("CONNECT ") && head.contains("Basic bWU6aHVudGVyQDI=")),
        "{heads:?}"
    );
    // What the environment names is not for this host.
    let mut looks = jane.command(&["ps", "k8s://shop/web", "-q"]);
    looks.env("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:9").env("NO_PROXY", "10.0.0.0/8");
    run(looks).ok();
}
