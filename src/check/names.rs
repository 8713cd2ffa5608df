//! Does it find other hosts? What Go's resolver and C's read (net, `conf.go`; nsswitch.conf(5)).

use super::facts::Facts;
use super::finding::{Finding, Group, Kind};
use super::symbols::{c, go};

const GROUP: Group = Group::Names;

/// All findings about names of hosts.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let Some(elf) = facts.elf() else { return Vec::new() };
    if !facts.knows_symbols() {
        let message = "it is not known whether it resolves names: nothing tells which functions are in it";
        return vec![Finding::unknown(GROUP, "names.resolver", message)];
    }
    let is_go = elf.go.is_some();
    let by_c = facts.linked_of(if is_go { &go::C_RESOLVER[..] } else { &c::RESOLVER });
    let by_go = facts.linked_of(&go::RESOLVER);
    if by_c.is_empty() && by_go.is_empty() {
        return vec![Finding::ok(GROUP, "names.resolver", "it resolves no names")];
    }
    let mut all = vec![resolver(facts, &by_c, &by_go)];
    all.extend(configuration(facts));
    all.extend(order(facts));
    all
}

fn resolver(facts: &Facts, by_c: &[&'static str], by_go: &[&'static str]) -> Finding {
    let Some(symbol) = by_c.first() else {
        let finding =
            Finding::ok(GROUP, "names.resolver", "names are resolved by Go itself, with no help of a C library");
        return finding.with_all(Kind::Symbol, by_go.iter().copied().take(1));
    };
    let elf = facts.elf();
    if elf.is_some_and(|elf| elf.linkage.interpreter.is_none()) {
        let message =
            "names may be resolved by the C library in it: that of GNU needs its own files beside it (libnss_dns.so.2)";
        let fix = if elf.is_some_and(|elf| elf.go.is_some()) {
            "CGO_ENABLED=0 go build    # or: go build -tags netgo,osusergo"
        } else {
            "link it with musl, which needs none"
        };
        return Finding::warning(GROUP, "names.resolver", message).with(Kind::Symbol, *symbol).fix(fix);
    }
    let message = "names may be resolved by the image's C library";
    Finding::ok(GROUP, "names.resolver", message).with(Kind::Symbol, *symbol)
}

/// The engine mounts both into what it runs; an image need not have them.
fn configuration(facts: &Facts) -> Vec<Finding> {
    let Some(running) = &facts.running else {
        let message = "/etc/resolv.conf and /etc/hosts are the engine's, where it is run";
        return vec![Finding::ok(GROUP, "names.servers", message)];
    };
    let resolv = "/etc/resolv.conf";
    let servers = match facts.resolver.servers {
        Some(0) | None => {
            let message = format!("{resolv} names no server: Go asks 127.0.0.1:53");
            let fix = if running.container {
                "docker run --dns 192.0.2.53    # your server"
            } else {
                "name a server in /etc/resolv.conf"
            };
            Finding::warning(GROUP, "names.servers", message).with(Kind::Missing, resolv).fix(fix)
        }
        Some(1) => Finding::ok(GROUP, "names.servers", "one name server is named").with(Kind::Path, resolv),
        Some(many) => {
            Finding::ok(GROUP, "names.servers", format!("{many} name servers are named")).with(Kind::Path, resolv)
        }
    };
    let hosts = (facts.resolver.localhost != Some(true)).then(|| {
        let message = "/etc/hosts does not know localhost: who asks for it asks a name server";
        let fix = "docker run --add-host localhost:127.0.0.1    # or use 127.0.0.1";
        Finding::warning(GROUP, "names.hosts", message).with(Kind::Missing, "/etc/hosts").fix(fix)
    });
    std::iter::once(servers).chain(hosts).collect()
}

/// Whether the files are asked before the servers. Go does that by itself where nothing says otherwise.
fn order(facts: &Facts) -> Option<Finding> {
    let sources = facts.resolver.sources.as_ref()?;
    let at = |name: &[u8]| sources.iter().position(|source| source.bytes() == name);
    let listed = sources.iter().map(|source| source.safe().into_string()).collect::<Vec<_>>().join(" ");
    let line = format!("/etc/nsswitch.conf: hosts: {listed}");
    let of = |finding: Finding| finding.with(Kind::Path, line.as_str());
    let message = match (at(b"files"), at(b"dns")) {
        (Some(files), Some(dns)) if files < dns => {
            return Some(of(Finding::ok(GROUP, "names.order", "/etc/hosts comes before the name servers")));
        }
        (Some(_), Some(_)) => "name servers come before /etc/hosts",
        (None, Some(_)) => "/etc/hosts is not asked at all",
        (Some(_), None) => "no name server is asked",
        (None, None) => "neither /etc/hosts nor a name server is asked",
    };
    let fix = "COPY nsswitch.conf /etc/    # with the line: hosts: files dns";
    Some(of(Finding::warning(GROUP, "names.order", message)).fix(fix))
}
