//! Certificates for a test, and the folders of the docker CLI with them.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// Who vouches for others.
pub struct Authority {
    /// Its own certificate.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one. All have the same name, as those have that people make by the book.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "scratchdbg test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// For an engine of these names and addresses.
    pub fn engine(&self, names: &[&str]) -> Pair {
        self.sign(&leaf(names, ExtendedKeyUsagePurpose::ServerAuth))
    }

    /// For an engine, and no longer valid.
    pub fn expired(&self, names: &[&str]) -> Pair {
        let mut params = leaf(names, ExtendedKeyUsagePurpose::ServerAuth);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
        self.sign(&params)
    }

    /// For us.
    pub fn client(&self) -> Pair {
        self.sign(&leaf(&["me"], ExtendedKeyUsagePurpose::ClientAuth))
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

fn leaf(names: &[&str], purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "scratchdbg test leaf");
    params.extended_key_usages.push(purpose);
    params
}

/// A new folder as `DOCKER_CERT_PATH` names it.
pub fn folder(authority: Option<&Authority>, client: Option<&Pair>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), authority, client);
    folder
}

/// The same in a folder that is there.
pub fn fill(folder: &Path, authority: Option<&Authority>, client: Option<&Pair>) {
    if let Some(authority) = authority {
        fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    }
    if let Some(client) = client {
        fs::write(folder.join("cert.pem"), &client.certificate).unwrap();
        fs::write(folder.join("key.pem"), &client.key).unwrap();
    }
}
