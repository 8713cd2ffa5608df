//! `kubectl port-forward`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use fakekube::{FakeKube, User};

use crate::kube::sample::web;
use crate::support::kubectl::kubectl;
use crate::support::wait;
use crate::{require_engine, require_kubectl};

#[test]
fn a_port_of_the_loopback_is_forwarded() {
    require_engine!();
    require_kubectl!();
    crate::require_root!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(web());
    kube.wait_for_log("default", "web", "app", "shop open");
    // What nobody outside can reach: its page of figures listens on its own loopback.
    let forward = Forward::start(&user, "web", 6060);
    let mut page = ask(forward.port, "/metrics");
    assert!(page.contains("shop_orders_placed_total"), "{page}");
    page = ask(forward.port, "/metrics");
    assert!(page.contains("go_goroutines"), "a second connection: {page}");
    let closed = Forward::start(&user, "web", 1);
    assert_eq!(ask(closed.port, "/"), "");
    assert!(closed.says("connect: connection refused"), "nobody listens there");
}

/// `kubectl port-forward`, as long as this lives.
struct Forward {
    child: Child,
    port: u16,
    errors: Arc<Mutex<String>>,
}

impl Forward {
    fn start(kubeconfig: &Path, pod: &str, port: u16) -> Self {
        let mut command = kubectl(kubeconfig, &["port-forward", pod, &format!(":{port}")]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.next().expect("where it listens");
        let local = line.strip_prefix("Forwarding from 127.0.0.1:").and_then(|rest| rest.split(' ').next());
        let local = local.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        let errors = Arc::new(Mutex::new(String::new()));
        let (said, stderr) = (Arc::clone(&errors), child.stderr.take().unwrap());
        thread::spawn(move || {
            // It tells of every connection, and ends when nobody reads that.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                said.lock().unwrap().push_str(&line);
            }
        });
        thread::spawn(move || lines.for_each(drop));
        Self { child, port: local, errors }
    }

    fn says(&self, words: &str) -> bool {
        wait::ask_within(wait::PATIENCE, || self.errors.lock().unwrap().contains(words).then_some(())).is_some()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a web server on a port of this host answers; nothing if the connection just ends.
fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
