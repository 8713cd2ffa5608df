//! Will it trust anybody? Which certificates Go takes as roots (crypto/x509, `root_linux.go`, `root.go`).

use super::facts::{Bundle, Facts};
use super::finding::{Finding, Group, Kind, Status};
use super::symbols::{c, go};
use crate::text::Untrusted;

const GROUP: Group = Group::Tls;
/// How the image gets a bundle.
const FIX: &str = "COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/    # or: import _ \"golang.org/x/crypto/x509roots/fallback\"";
/// Modules that bring certificates along, but for those that say so by a function of crypto/x509.
const FALLBACKS: [&str; 3] =
    ["golang.org/x/crypto/x509roots/fallback", "github.com/breml/rootcerts", "github.com/gwatts/rootcerts"];

/// All findings about certificates.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let Some(elf) = facts.elf() else { return Vec::new() };
    let is_go = elf.go.is_some();
    if !facts.knows_symbols() {
        let message = "it is not known whether it speaks TLS: nothing tells which functions are in it";
        return vec![Finding::unknown(GROUP, "tls.roots", message)];
    }
    let reads = if is_go { facts.linked_of(&go::ROOTS) } else { facts.linked_of(&c::TLS) };
    if reads.is_empty() {
        let message =
            if is_go { "it checks no certificates" } else { "it links no library for TLS that is known here" };
        return vec![Finding::ok(GROUP, "tls.roots", message)];
    }
    let mut all = vec![roots(facts, &reads, is_go)];
    all.extend(expired(facts));
    all
}

fn roots(facts: &Facts, reads: &[&'static str], is_go: bool) -> Finding {
    let seen = |finding: Finding| {
        let mut finding = finding.with(Kind::Symbol, reads.first().copied().unwrap_or_default());
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(value) = facts.variable(name) {
                finding = finding.with(Kind::Variable, format!("{name}={}", value.lossy()).as_str());
            }
        }
        finding
    };
    let bundles = || facts.roots.files.iter().chain(&facts.roots.folders);
    let count = |bundle: &Bundle| match bundle {
        Bundle::There { certificates, .. } => certificates.len(),
        _ => 0,
    };
    let there: Vec<_> = bundles().filter(|(_, bundle)| count(bundle) > 0).collect();
    if !there.is_empty() {
        // Go reads directories besides the file, and what is in both counts once.
        let most: usize = there.iter().map(|(_, bundle)| count(bundle)).max().unwrap_or_default();
        let first = there.first().map(|(path, _)| path.safe().into_string()).unwrap_or_default();
        let finding = Finding::ok(GROUP, "tls.roots", format!("{most} roots in {first}"));
        return there.iter().fold(seen(finding), |finding, (path, bundle)| match bundle {
            Bundle::There { size, .. } => finding.with_bytes(Kind::Path, path.clone(), *size),
            _ => finding,
        });
    }
    if let Some(brought) = brought(facts) {
        let finding = Finding::ok(GROUP, "tls.roots", "it brings its own roots along: those of its build");
        return seen(finding).with(Kind::Symbol, brought);
    }
    let is_client = !is_go || !facts.linked_of(&go::CLIENT).is_empty();
    let status = if is_client { Status::Failure } else { Status::Warning };
    let of = |status: Status, message: String| {
        let finding = if status == Status::Failure {
            Finding::failure(GROUP, "tls.roots", message)
        } else {
            Finding::warning(GROUP, "tls.roots", message)
        };
        seen(finding)
    };
    // Of the rest the one that comes nearest says most.
    let denied = bundles().find(|(_, bundle)| *bundle == Bundle::Denied);
    let empty = bundles().find(|(_, bundle)| matches!(bundle, Bundle::There { size, .. } if *size > 0));
    let unknown = bundles().find(|(_, bundle)| matches!(bundle, Bundle::Unknown(_)));
    let result = "\"x509: certificate signed by unknown authority\"";
    if let Some((path, _)) = denied {
        let message = format!("its user may not read the roots in {}: {result}", path.safe());
        return of(status, message)
            .with(Kind::Path, path.clone())
            .fix(format!("COPY --chmod=0644 ca-certificates.crt {}", path.safe()));
    }
    if let Some((path, Bundle::There { size, .. })) = empty {
        let message = format!("{} holds no certificate that could be read: {result}", path.safe());
        return of(status, message).with_bytes(Kind::Path, path.clone(), *size).fix(FIX);
    }
    if let Some((path, Bundle::Unknown(why))) = unknown {
        return seen(Finding::unknown(GROUP, "tls.roots", format!("{} could not be read: {why}", path.safe())));
    }
    let message = match facts.variable("SSL_CERT_FILE") {
        Some(path) => {
            format!("SSL_CERT_FILE names {}, which is not there, and no directory has any: {result}", path.safe())
        }
        None if is_client => format!("no roots are there: what asks others over TLS fails with {result}"),
        None => format!("no roots are there, should it check a certificate: {result}"),
    };
    let finding = of(status, message);
    let finding =
        facts.linked_of(&go::CLIENT).first().map_or(finding.clone(), |client| finding.with(Kind::Symbol, *client));
    finding.with_all(Kind::Missing, bundles().map(|(path, _)| path.clone())).fix(FIX)
}

/// What says that the program brings roots along.
fn brought(facts: &Facts) -> Option<Untrusted> {
    let linked = facts.linked_of(&go::FALLBACK).first().map(|symbol| Untrusted::from(*symbol));
    let modules = &facts.elf()?.go.as_ref()?.dependencies;
    let module = modules.iter().find(|one| FALLBACKS.iter().any(|known| one.path.bytes() == known.as_bytes()));
    linked.or_else(|| module.map(|module| module.path.clone()))
}

fn expired(facts: &Facts) -> Option<Finding> {
    let bundles = facts.roots.files.iter().chain(&facts.roots.folders);
    let all = bundles.filter_map(|(_, bundle)| match bundle {
        Bundle::There { certificates, .. } => Some(certificates),
        _ => None,
    });
    let mut names: Vec<_> =
        all.flatten().filter(|one| one.not_after < facts.now).map(|one| one.subject.clone()).collect();
    names.sort();
    names.dedup();
    let first = names.first()?;
    let message = match names.len() {
        1 => format!("a root is expired: {}", first.safe()),
        many => format!("{many} roots are expired, {} among them", first.safe()),
    };
    let fix = "take a new bundle: RUN apk add --no-cache ca-certificates, or apt-get install ca-certificates, in the build stage";
    Some(Finding::warning(GROUP, "tls.expired", message).with_all(Kind::Header, names.into_iter().take(8)).fix(fix))
}
