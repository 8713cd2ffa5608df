//! Engines over TLS, as the docker CLI reaches them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use nix::sys::signal::Signal;

use super::works;
use crate::support::certificates::{self, Authority, Pair};
use crate::support::command::{BINARY, Ended, binary, run};
use crate::support::container::Run;
use crate::support::engine::docker;
use crate::support::pty::{Setup, key};
use crate::support::residue::Residue;
use crate::support::tls_port::{Connection, TlsPort};
use crate::support::wait;
use crate::{require_engine, require_root};

/// Runs the binary with the files of this folder, and nothing else said about engines.
fn with(folder: &Path, environment: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = binary(args);
    for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY"] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").env("DOCKER_CERT_PATH", folder).envs(environment.iter().copied());
    run(command)
}

const VERIFY: (&str, &str) = ("DOCKER_TLS_VERIFY", "1");
const UNVERIFIED: (&str, &str) = ("DOCKER_TLS", "1");

/// An authority, and an engine's certificate by it for here.
fn here() -> (Authority, Pair) {
    let authority = Authority::new();
    let engine = authority.engine(&["127.0.0.1", "localhost"]);
    (authority, engine)
}

#[test]
fn everything_works_through_it() {
    require_engine!();
    require_root!();
    let (authority, engine) = here();
    let folder = certificates::folder(Some(&authority), Some(&authority.client()));
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    for port in [TlsPort::new(&engine, Some(&authority)), TlsPort::old(&engine, Some(&authority))] {
        let ask = |args: &[&str]| with(folder.path(), &[VERIFY], args);
        works(&port.address(), &container, |args| ask(args));
        works(&port.address(), &container, |args| ask(&[args, &["--via", "sidecar"]].concat()));
        // The same as by the socket.
        let (name, host) = (container.name(), port.address());
        for args in [vec!["logs", name], vec!["ls", &container.at("/etc")], vec!["cat", &container.at("/toolbox")]] {
            let here = with(folder.path(), &[], &args).quietly().stdout;
            let there = ask(&[&args[..], &["--via", "sidecar", "--host", &host]].concat()).quietly().stdout;
            assert!(here == there && !here.is_empty(), "{args:?}");
        }
        let seen = port.connections();
        assert!(seen.iter().any(|one| one.resumed), "no session was resumed: {seen:#?}");
    }
    before.assert_unchanged(&container);
}

#[test]
fn a_screen_that_ends_takes_its_sidecar_along() {
    require_engine!();
    require_root!();
    let (authority, engine) = here();
    let folder = certificates::folder(Some(&authority), Some(&authority.client()));
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    let port = TlsPort::new(&engine, Some(&authority));
    let host = port.address();
    let start = |args: &[&str]| {
        let args = [args, &["--via", "sidecar", "--host", &host]].concat();
        let setup = Setup::program(BINARY, &args).size(160, 36).env("DOCKER_TLS_VERIFY", "1");
        setup.env("DOCKER_CERT_PATH", folder.path().to_str().unwrap()).start()
    };
    let filter = format!("label=io.scratchdbg.target={}", container.id());
    let sidecars = || docker(&["ps", "--all", "--quiet", "--filter", &filter]).lines().count();
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let terminal = start(&["attach", container.name()]);
        terminal.wait_for("scratch: no shell");
        assert_eq!(sidecars(), 1);
        terminal.signal(signal);
        drop(terminal);
        before.assert_unchanged(&container);
    }
    // Back to the list: the way to the sidecar ends in words, and it with it, while the screen stays.
    let mut terminal = start(&[]);
    terminal.wait_for(container.name());
    for keys in ["/", container.name(), key::ENTER, key::ENTER] {
        terminal.press(keys);
    }
    terminal.wait_for("scratch: no shell");
    assert_eq!(sidecars(), 1);
    terminal.press("q");
    terminal.wait_for_no("scratch: no shell");
    wait::until("the sidecar to go", || (sidecars() == 0).then_some(()));
    let goodbye = |one: &Connection| one.request.contains("/attach?") && one.said_goodbye;
    wait::until("its input to be ended in words", || port.connections().iter().any(goodbye).then_some(()));
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
    before.assert_unchanged(&container);
}

/// What `list` says of an engine that is reached in this way.
fn list(host: &str, folder: &Path, environment: &[(&str, &str)]) -> Ended {
    with(folder, environment, &["list", "--host", host])
}

#[test]
fn who_is_trusted_is_chosen_as_by_the_docker_cli() {
    require_engine!();
    let (authority, engine) = here();
    let client = authority.client();
    let open = TlsPort::new(&engine, None);
    let (none, just_ca) = (certificates::folder(None, None), certificates::folder(Some(&authority), None));
    list(&open.address(), just_ca.path(), &[VERIFY]).quietly();
    list(&format!("tcp://localhost:{}", open.port), just_ca.path(), &[VERIFY]).quietly();
    list(&format!("https://127.0.0.1:{}", open.port), just_ca.path(), &[]).quietly();
    // Half a pair is none.
    fs::write(just_ca.path().join("cert.pem"), &client.certificate).unwrap();
    list(&open.address(), just_ca.path(), &[VERIFY]).quietly();

    // Whoever it is: the docker CLI wants a ca.pem even then, which it does not use.
    list(&open.address(), none.path(), &[UNVERIFIED]).quietly();
    list(&open.address(), none.path(), &[VERIFY]).fails_with(2, &["ca.pem", "DOCKER_CERT_PATH"]);
    // By the system's list, which this authority is not on.
    list(&format!("https://127.0.0.1:{}", open.port), none.path(), &[])
        .fails_with(5, &["this system's list", "ca.pem"]);
    let listed = just_ca.path().join("ca.pem");
    list(&format!("https://127.0.0.1:{}", open.port), none.path(), &[("SSL_CERT_FILE", listed.to_str().unwrap())])
        .quietly();
}

#[test]
fn a_context_brings_its_own() {
    require_engine!();
    let (authority, engine) = here();
    let port = TlsPort::new(&engine, Some(&authority));
    let config = tempfile::tempdir().unwrap();
    let (meta, tls) = (config.path().join("contexts/meta/abc"), config.path().join("contexts/tls/abc/docker"));
    fs::create_dir_all(&meta).unwrap();
    fs::create_dir_all(&tls).unwrap();
    let write = |skip: bool| {
        let endpoint = serde_json::json!({"Host": port.address(), "SkipTLSVerify": skip});
        let content = serde_json::json!({"Name": "far", "Metadata": {}, "Endpoints": {"docker": endpoint}});
        fs::write(meta.join("meta.json"), content.to_string()).unwrap();
    };
    let environment = [("DOCKER_CONFIG", config.path().to_str().unwrap()), ("DOCKER_CONTEXT", "far")];
    let list = || with(Path::new("/nonexistent"), &environment, &["list"]);
    write(false);
    list().fails_with(5, &["with TLS", "this system's list"]);
    certificates::fill(&tls, Some(&Authority::new()), Some(&authority.client()));
    list().fails_with(5, &["with TLS", "ca.pem"]);
    write(true);
    list().ok();
    certificates::fill(&tls, Some(&authority), None);
    write(false);
    list().ok();
}

#[test]
fn what_is_wrong_with_the_other_side_is_told() {
    require_engine!();
    let (authority, engine) = here();
    let (client, other) = (authority.client(), Authority::new());
    let good = certificates::folder(Some(&authority), Some(&client));
    let port = TlsPort::new(&engine, Some(&authority));
    let old = TlsPort::old(&engine, Some(&authority));

    let wrong_authority = certificates::folder(Some(&other), Some(&client));
    list(&port.address(), wrong_authority.path(), &[VERIFY])
        .fails_with(5, &["not signed by an authority of", "ca.pem", "put the certificate of the authority"]);

    let elsewhere = TlsPort::new(&authority.engine(&["engine.example", "10.9.8.7"]), Some(&authority));
    list(&elsewhere.address(), good.path(), &[VERIFY])
        .fails_with(5, &["not for 127.0.0.1, but for engine.example, 10.9.8.7", "subjectAltName"]);

    let late = TlsPort::new(&authority.expired(&["127.0.0.1"]), Some(&authority));
    list(&late.address(), good.path(), &[VERIFY]).fails_with(5, &["expired (2020-02-01T00:00:00Z)", "clock"]);

    let no_client = certificates::folder(Some(&authority), None);
    let wrong_client = certificates::folder(Some(&authority), Some(&other.client()));
    for port in [&port, &old] {
        list(&port.address(), no_client.path(), &[VERIFY]).fails_with(
            5,
            &["demands a client certificate", "cert.pem and key.pem", no_client.path().to_str().unwrap()],
        );
        list(&port.address(), wrong_client.path(), &[VERIFY])
            .fails_with(5, &["does not accept the client certificate", "openssl x509", "/cert.pem"]);
    }
    let for_a_client = TlsPort::new(&client, None);
    list(&for_a_client.address(), good.path(), &[VERIFY]).fails_with(5, &["certificate is not"]);
}

#[test]
fn tls_and_plain_text_are_told_apart() {
    require_engine!();
    let (authority, engine) = here();
    let folder = certificates::folder(Some(&authority), None);
    let plain = super::port();
    list(&plain, folder.path(), &[VERIFY]).fails_with(5, &["does not speak TLS", "2376", "DOCKER_TLS_VERIFY"]);
    let port = TlsPort::new(&engine, None);
    list(&port.address(), folder.path(), &[]).fails_with(5, &["does not take plain HTTP", "DOCKER_TLS_VERIFY=1"]);
    // As Docker's own port for TLS says it.
    let go = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    list(&says(go), folder.path(), &[]).fails_with(5, &["does not take plain HTTP", "DOCKER_TLS_VERIFY=1"]);
    list(&says(""), folder.path(), &[VERIFY]).fails_with(5, &["hung up", "client certificate"]);
}

/// A port that says this to everybody, whatever they say.
fn says(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(text.as_bytes());
        }
    });
    format!("tcp://{address}")
}

#[test]
fn what_is_wrong_with_our_own_files_is_told() {
    let authority = Authority::new();
    let (client, other) = (authority.client(), authority.client());
    let nowhere = "tcp://127.0.0.1:1";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (file, content, said) in [
        ("ca.pem", "", &["there is no certificate in", "ca.pem", "BEGIN CERTIFICATE"][..]),
        ("ca.pem", broken, &["ca.pem cannot be used", "openssl x509"]),
        ("ca.pem", cut, &["ca.pem cannot be used", "openssl x509"]),
        ("cert.pem", &client.key, &["there is no certificate in", "cert.pem"]),
        ("cert.pem", &other.certificate, &["key.pem is not the key of cert.pem", "openssl"]),
        ("key.pem", &client.certificate, &["there is no private key in", "key.pem"]),
        ("key.pem", encrypted, &["key.pem is encrypted", "openssl pkey"]),
    ] {
        let folder = certificates::folder(Some(&authority), Some(&client));
        fs::write(folder.path().join(file), content).unwrap();
        list(nowhere, folder.path(), &[VERIFY]).fails_with(2, said);
    }
    let folder = certificates::folder(Some(&authority), Some(&client));
    list(nowhere, folder.path(), &[VERIFY]).fails_with(5, &["no engine answers at tcp://127.0.0.1:1 with TLS"]);
    fs::remove_file(folder.path().join("ca.pem")).unwrap();
    list(nowhere, folder.path(), &[VERIFY]).fails_with(2, &["there is no", "ca.pem", "DOCKER_CERT_PATH"]);
    fs::create_dir(folder.path().join("ca.pem")).unwrap();
    list(nowhere, folder.path(), &[VERIFY]).fails_with(2, &["ca.pem cannot be read", "directory"]);
}
