//! What Go's resolver reads: `/etc/resolv.conf`, `/etc/hosts`, `/etc/nsswitch.conf`.

use futures_util::future::join3;

use super::{MAX_RESOLVER, Resolver};
use crate::inspect::error::why;
use crate::inspect::fetch;
use crate::inspect::process::Part;
use crate::shim::{Error, Shim};
use crate::text::Untrusted;

/// How many lines of `/etc/hosts` are taken at most.
pub const MAX_HOSTS: usize = 16_384;
/// How many name servers, search domains or options are taken at most. Go uses three servers.
const MAX_WORDS: usize = 64;

/// Reads the three files. What Go does without one is told where its source says so (`net/dnsconfig.go`,
/// `net/conf.go`, `net/hosts.go`).
pub async fn read(shim: &Shim) -> Resolver {
    let (resolv, hosts, nsswitch) = join3(
        fetch::prefix(shim, b"/etc/resolv.conf", MAX_RESOLVER),
        fetch::prefix(shim, b"/etc/hosts", MAX_RESOLVER),
        fetch::prefix(shim, b"/etc/nsswitch.conf", MAX_RESOLVER),
    )
    .await;
    let (nameservers, search, options) = match resolv {
        Ok((text, _)) => {
            let resolv = parse_resolv(&text);
            (Part::Ok(resolv.nameservers), resolv.search, resolv.options)
        }
        Err(error) => {
            let why = missing(&error, "/etc/resolv.conf", "Go asks 127.0.0.1:53 and [::1]:53");
            (Part::Unavailable(why), Vec::new(), Vec::new())
        }
    };
    let hosts = match hosts {
        Ok((text, _)) => Part::Ok(parse_hosts(&text)),
        Err(error) => Part::Unavailable(missing(&error, "/etc/hosts", "Go asks DNS for every name, even localhost")),
    };
    let nsswitch = nsswitch.ok().and_then(|(text, _)| parse_nsswitch(&text));
    Resolver { nameservers, search, options, hosts, nsswitch }
}

fn missing(error: &Error, path: &str, then: &str) -> String {
    match error {
        Error::Errno(nix::errno::Errno::ENOENT) => format!("no {path}: {then}"),
        error => format!("{path}: {}", why(error)),
    }
}

/// What `/etc/resolv.conf` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolv {
    /// `nameserver` lines.
    pub nameservers: Vec<Untrusted>,
    /// Words of the last `search` or `domain` line.
    pub search: Vec<Untrusted>,
    /// Words of all `options` lines.
    pub options: Vec<Untrusted>,
}

/// Parses resolv.conf(5) as Go does: a comment starts with `#` or `;` at the beginning of a line; the last `search` or
/// `domain` counts.
#[must_use]
pub fn parse_resolv(text: &[u8]) -> Resolv {
    let mut resolv = Resolv::default();
    for line in fetch::lines(text).filter(|line| !matches!(line.first(), Some(b'#' | b';'))) {
        let mut words = fetch::words(line);
        let keyword = words.next();
        let mut rest = words.take(MAX_WORDS).map(Untrusted::from);
        match keyword {
            Some(b"nameserver") if resolv.nameservers.len() < MAX_WORDS => resolv.nameservers.extend(rest.next()),
            Some(b"search") => resolv.search = rest.collect(),
            Some(b"domain") => resolv.search = rest.next().map_or(resolv.search, |domain| vec![domain]),
            Some(b"options") => {
                resolv.options.extend(rest);
                resolv.options.truncate(MAX_WORDS);
            }
            _ => {}
        }
    }
    resolv
}

/// Parses hosts(5): an address and its names a line, `#` starts a comment anywhere.
#[must_use]
pub fn parse_hosts(text: &[u8]) -> Vec<(Untrusted, Vec<Untrusted>)> {
    let parsed = fetch::lines(text).filter_map(|line| {
        let line = line.split(|&byte| byte == b'#').next()?;
        let mut words = fetch::words(line).map(Untrusted::from);
        let address = words.next()?;
        let names: Vec<_> = words.take(MAX_WORDS).collect();
        (!names.is_empty()).then_some((address, names))
    });
    parsed.take(MAX_HOSTS).collect()
}

/// The sources of the `hosts:` line of nsswitch.conf(5).
#[must_use]
pub fn parse_nsswitch(text: &[u8]) -> Option<Untrusted> {
    fetch::lines(text).find_map(|line| {
        let line = line.split(|&byte| byte == b'#').next()?.trim_ascii();
        Some(line.strip_prefix(b"hosts:")?.trim_ascii().into())
    })
}
