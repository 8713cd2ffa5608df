//! The docker CLI's files: which have to be there, and what has to be in them.

use std::path::Path;

use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::Error;
use crate::engine::docker::context;

/// Certificates of those who vouch for the engine.
pub const AUTHORITIES: &str = "ca.pem";
/// Our own certificate, and what it was signed with.
const CERTIFICATE: &str = "cert.pem";
/// The key to it.
const KEY: &str = "key.pem";

/// Who vouches for the engine, if the folder says so.
pub fn authorities(folder: &Path) -> Result<Option<Vec<CertificateDer<'static>>>, Error> {
    let path = folder.join(AUTHORITIES);
    read(&path)?.map(|text| certificates(&path, &text)).transpose()
}

/// Our own certificate and its key. The docker CLI does without both where one of them is not there.
pub fn pair(folder: &Path) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
    let paths = (folder.join(CERTIFICATE), folder.join(KEY));
    let (Some(certificate), Some(secret)) = (read(&paths.0)?, read(&paths.1)?) else { return Ok(None) };
    Ok(Some((certificates(&paths.0, &certificate)?, key(&paths.1, &secret)?)))
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match all {
        Ok(all) if all.is_empty() => Err(Error::NoCertificate { path: path.to_owned() }),
        Ok(all) => Ok(all),
        Err(error) => Err(Error::Unusable { path: path.to_owned(), why: error.to_string() }),
    }
}

fn key(path: &Path, text: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    // Both ways to say so: "BEGIN ENCRYPTED PRIVATE KEY", and the old "Proc-Type: 4,ENCRYPTED".
    if memchr::memmem::find(text, b"ENCRYPTED").is_some() {
        return Err(Error::Encrypted { path: path.to_owned() });
    }
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => Error::NoKey { path: path.to_owned() },
        error => Error::Unusable { path: path.to_owned(), why: error.to_string() },
    })
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    context::content(path).map_err(|error| Error::Unreadable { path: path.to_owned(), why: error.to_string() })
}
