//! The certificates that Go would take as roots (crypto/x509, `loadSystemRoots`, the same in Go 1.19 to 1.27).

use super::source::Source;
use crate::check::certificates::{self, Certificate};
use crate::check::facts::{Bundle, Facts, Roots, Seen};
use crate::inspect::files;
use crate::text::Untrusted;

/// The files it tries (`certFiles`): the first one that can be read counts.
const FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The directories it reads besides (`certDirectories`). Go 1.19 also read Android's.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];
/// The largest bundle that is read, in bytes.
const LARGEST: u64 = 4 << 20;
/// The most files of a directory that are read.
const MOST: usize = 512;
/// The most folders that a variable may name.
const MOST_FOLDERS: usize = 16;

/// Reads them.
pub(super) async fn read(source: &Source<'_>, facts: &Facts) -> Roots {
    let mut roots = Roots::default();
    let named = facts.variable("SSL_CERT_FILE").cloned();
    let files = named.map_or_else(|| FILES.map(Untrusted::from).to_vec(), |file| vec![file]);
    let mut found = false;
    for path in files {
        let bundle = file(source, facts, path.bytes()).await;
        let is_read = matches!(bundle, Bundle::There { .. });
        found |= matches!(&bundle, Bundle::There { certificates, .. } if !certificates.is_empty());
        roots.files.push((path, bundle));
        if is_read {
            break;
        }
    }
    let named = facts.variable("SSL_CERT_DIR").cloned();
    // A directory of a distribution has in hundreds of files what is in its bundle.
    if found && named.is_none() {
        return roots;
    }
    let folders: Vec<Untrusted> = match &named {
        Some(list) => list.bytes().split(|&byte| byte == b':').take(MOST_FOLDERS).map(Untrusted::from).collect(),
        None => FOLDERS.map(Untrusted::from).to_vec(),
    };
    for path in folders {
        let bundle = folder(source, facts, path.bytes()).await;
        roots.folders.push((path, bundle));
    }
    roots
}

async fn file(source: &Source<'_>, facts: &Facts, path: &[u8]) -> Bundle {
    match source.read(path, LARGEST).await {
        Ok(_) if !source.may_read(&facts.user, path).await => Bundle::Denied,
        Ok(text) => Bundle::There { size: text.len() as u64, certificates: certificates::parse(&text) },
        Err(Seen::Denied) => Bundle::Denied,
        Err(Seen::Unknown(why)) => Bundle::Unknown(why),
        Err(Seen::Missing | Seen::There(_)) => Bundle::Missing,
    }
}

async fn folder(source: &Source<'_>, facts: &Facts, path: &[u8]) -> Bundle {
    let names = match source.names(path, MOST).await {
        Ok(names) => names,
        Err(Seen::Denied) => return Bundle::Denied,
        Err(Seen::Unknown(why)) => return Bundle::Unknown(why),
        Err(Seen::Missing | Seen::There(_)) => return Bundle::Missing,
    };
    let (mut all, mut size): (Vec<Certificate>, u64) = (Vec::new(), 0);
    for name in names {
        if let Bundle::There { size: bytes, certificates } = file(source, facts, &files::join(path, &name)).await {
            size += bytes;
            // Links by hashed names lead to the same ones.
            let new: Vec<_> = certificates.into_iter().filter(|one| !all.contains(one)).collect();
            all.extend(new);
        }
        if all.len() >= certificates::MOST || size > 4 * LARGEST {
            break;
        }
    }
    Bundle::There { size, certificates: all }
}
