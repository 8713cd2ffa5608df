//! What the errors of a TLS connection mean.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError};

use super::super::Error;
use super::Facts;

/// Names of a certificate that are told at most.
const NAMES: usize = 5;

impl Error {
    /// Why a certificate of ours was not taken by our own side.
    pub(super) fn of_pair(error: &rustls::Error, folder: PathBuf) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::Mismatch { folder },
            error => Self::Unusable { path: folder.join("key.pem"), why: error.to_string() },
        }
    }
}

impl Facts {
    pub(super) fn explain(&self, error: &io::Error) -> Error {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return self.of(error);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => self.hung_up(),
            _ => Error::Other { why: error.to_string() },
        }
    }

    pub(super) fn hung_up(&self) -> Error {
        Error::HungUp { folder: (!self.authenticated).then(|| self.folder.clone()) }
    }

    fn of(&self, error: &rustls::Error) -> Error {
        match error {
            rustls::Error::InvalidCertificate(error) => self.of_certificate(error),
            rustls::Error::AlertReceived(alert) => self.of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Error::Plain,
            rustls::Error::PeerIncompatible(why) => Error::Version { why: format!("{why:?}") },
            error => Error::Other { why: error.to_string() },
        }
    }

    fn of_certificate(&self, error: &CertificateError) -> Error {
        match error {
            // A second authority of the same name is told by its signature alone.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Error::Untrusted { authorities: self.authorities.clone(), folder: self.folder.clone() }
            }
            CertificateError::NotValidForName => Error::OtherName { host: self.host.clone(), names: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => Error::OtherName {
                host: self.host.clone(),
                names: presented.iter().take(NAMES).map(|name| plain(name)).collect(),
            },
            CertificateError::Expired => Error::Expired { since: None },
            CertificateError::ExpiredContext { not_after, .. } => Error::Expired { since: time(*not_after) },
            CertificateError::NotValidYet => Error::TooEarly { from: None },
            CertificateError::NotValidYetContext { not_before, .. } => Error::TooEarly { from: time(*not_before) },
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Error::Purpose { why: error.to_string() }
            }
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Error::Purpose { why: "it is an authority's own".to_owned() }
            }
            error => Error::Other { why: format!("its certificate cannot be used: {error}") },
        }
    }

    fn of_alert(&self, alert: AlertDescription) -> Error {
        use AlertDescription as Alert;
        match alert {
            Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => {
                let folder = self.folder.clone();
                if self.authenticated {
                    Error::RefusesCertificate { folder, alert: format!("{alert:?}") }
                } else {
                    Error::WantsCertificate { folder }
                }
            }
            // A client's certificate by another authority of the same name is told by its signature alone.
            Alert::DecryptError if self.authenticated => {
                Error::RefusesCertificate { folder: self.folder.clone(), alert: format!("{alert:?}") }
            }
            Alert::ProtocolVersion | Alert::InsufficientSecurity => Error::Version { why: format!("{alert:?}") },
            // Of what some say only this if a certificate is missing, and others if no cipher is common to both.
            Alert::HandshakeFailure if !self.authenticated => Error::WantsCertificate { folder: self.folder.clone() },
            alert => Error::Other { why: format!("it ended the connection with the alert {alert:?}") },
        }
    }
}

/// `DnsName("example.com")` and `IpAddress(10.0.0.1)`, as a person would write them.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

fn time(time: UnixTime) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()))
}
