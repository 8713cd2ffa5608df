//! What others could do to it, and it to others.

use std::net::SocketAddr;

use super::facts::{Facts, Running};
use super::finding::{Finding, Group, Kind};
use super::symbols::go;

const GROUP: Group = Group::Exposure;
/// Below it a port takes `CAP_NET_BIND_SERVICE` (ip(7)).
const PRIVILEGED_PORTS: u16 = 1024;

/// All findings about exposure.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let mut all = Vec::new();
    if let Some(running) = &facts.running {
        all.extend(root_files(running));
        all.extend(capabilities(running));
        all.extend(listening(running));
    } else {
        let message = "rights are given where it is run: check the container";
        all.push(Finding::unknown(GROUP, "exposure.given", message));
    }
    all.extend(profiles(facts));
    all.push(secrets(facts));
    all
}

fn root_files(running: &Running) -> Option<Finding> {
    if !running.container {
        return None;
    }
    let id = "exposure.root";
    if running.read_only? {
        return Some(Finding::ok(GROUP, id, "its root file system is read-only"));
    }
    let message = "its root file system can be written: whoever takes it over can leave things in it";
    let finding = Finding::warning(GROUP, id, message).with(Kind::Kernel, "mounted rw: /");
    Some(finding.fix("docker run --read-only    # and --tmpfs /tmp, if it makes temporary files"))
}

fn capabilities(running: &Running) -> Option<Finding> {
    let id = "exposure.capabilities";
    if running.privileged {
        let message = "it runs privileged: it may do everything on the host";
        return Some(
            Finding::failure(GROUP, id, message)
                .with(Kind::Setting, "privileged")
                .fix("docker run    # without --privileged"),
        );
    }
    let names = running.capabilities.as_ref()?;
    if names.is_empty() {
        return Some(Finding::ok(GROUP, id, "it has no capabilities"));
    }
    let binds = running.listening.iter().flatten().any(|socket| socket.port() < PRIVILEGED_PORTS);
    let needed = if binds { " --cap-add NET_BIND_SERVICE" } else { "" };
    if binds && names.len() == 1 {
        return Some(Finding::ok(GROUP, id, format!("it has {} and needs it", names.concat())));
    }
    let message = format!("it has {} capabilities in effect, most of which no server needs", names.len());
    Some(
        Finding::warning(GROUP, id, message)
            .with(Kind::Kernel, names.join(" ").as_str())
            .fix(format!("docker run --cap-drop ALL{needed}    # and USER 65532:65532 in the Dockerfile")),
    )
}

fn listening(running: &Running) -> Option<Finding> {
    let id = "exposure.listening";
    let sockets = running.listening.as_ref()?;
    if sockets.is_empty() {
        return Some(Finding::ok(GROUP, id, "it listens on no address that others reach"));
    }
    let mut all: Vec<SocketAddr> = sockets.clone();
    all.sort_unstable_by_key(SocketAddr::port);
    let words = |sockets: &[SocketAddr]| {
        let mut ports: Vec<u16> = sockets.iter().map(SocketAddr::port).collect();
        ports.dedup();
        ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
    };
    let with = |finding: Finding, sockets: &[SocketAddr]| {
        sockets.iter().take(16).fold(finding, |finding, socket| finding.with(Kind::Socket, socket.to_string().as_str()))
    };
    let unasked: Vec<SocketAddr> =
        all.iter().filter(|socket| !running.published.contains(&socket.port())).copied().collect();
    if unasked.is_empty() {
        let message = format!("on all addresses it listens at what is published or exposed: {}", words(&all));
        return Some(with(Finding::ok(GROUP, id, message), &all));
    }
    let message = format!("on all addresses it listens at {}, which nobody publishes or exposes", words(&unasked));
    let fix = format!("listen on 127.0.0.1:{0}, or say that it is meant: EXPOSE {0}", unasked[0].port());
    Some(with(Finding::warning(GROUP, id, message), &unasked).fix(fix))
}

fn profiles(facts: &Facts) -> Option<Finding> {
    let symbol = *facts.linked_of(&go::PROFILES).first()?;
    let message =
        "net/http/pprof is linked: on the default mux, whoever reaches it reads its memory and its command line";
    let fix = "serve http.DefaultServeMux on 127.0.0.1 only, and your own mux to others";
    Some(Finding::warning(GROUP, "exposure.pprof", message).with(Kind::Symbol, symbol).fix(fix))
}

/// Names only. The values have not even been kept.
fn secrets(facts: &Facts) -> Finding {
    let id = "exposure.secrets";
    let names = &facts.setup.environment.secrets;
    if names.is_empty() {
        return Finding::ok(GROUP, id, "no variable of its environment looks like a secret");
    }
    let shown = names.iter().take(8).map(|name| name.safe().into_string()).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
    let (message, fix) = if facts.running.is_some() {
        let message =
            format!("variables of its environment look like secrets: {shown}{more}; whoever may inspect it reads them");
        (message, "docker run --mount type=bind,src=./secret,dst=/run/secrets/secret,readonly    # and read the file")
    } else {
        let message =
            format!("variables in the image look like secrets: {shown}{more}; whoever has the image reads them");
        (message, "leave them out of ENV, and give them where it is run; while building: RUN --mount=type=secret,id=…")
    };
    Finding::warning(GROUP, id, message).with_all(Kind::Variable, names.iter().cloned()).fix(fix)
}
