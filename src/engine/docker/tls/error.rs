//! Why there is no TLS connection, and what to try.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::exit::{Exit, Explain};

/// Why there is no TLS connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// This program was built without it.
    #[error("this scratchdbg was built without TLS")]
    NotBuilt,
    /// A file has to be there and is not.
    #[error("there is no {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        why: String,
    },
    /// A file of certificates without one.
    #[error("there is no certificate in {}", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A key's file without one.
    #[error("there is no private key in {}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A key that takes a pass phrase.
    #[error("the key in {} is encrypted", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// A file whose content is broken, or of a kind that is not known.
    #[error("{} cannot be used: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A certificate and a key of different pairs.
    #[error("key.pem is not the key of cert.pem in {}", folder.display())]
    Mismatch {
        /// Where they are.
        folder: PathBuf,
    },
    /// The host cannot stand in a certificate.
    #[error("{host:?} is neither a host name nor an address, so no certificate can be for it")]
    Name {
        /// What stands in the address.
        host: String,
    },
    /// Nobody who is believed vouches for the engine's certificate.
    #[error("its certificate is not signed by an authority of {authorities}")]
    Untrusted {
        /// Who is believed.
        authorities: String,
        /// Where to put a certificate.
        folder: String,
    },
    /// The certificate is of another host.
    #[error("its certificate is not for {host}, but for {}", if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") })]
    OtherName {
        /// The host that was asked for.
        host: String,
        /// Whom it is for: at most five.
        names: Vec<String>,
    },
    /// The certificate's time is over.
    #[error("its certificate expired{}", at(*since))]
    Expired {
        /// Since when.
        since: Option<SystemTime>,
    },
    /// The certificate's time has not come.
    #[error("its certificate is not valid yet{}", at(*from))]
    TooEarly {
        /// From when on.
        from: Option<SystemTime>,
    },
    /// The certificate can be used, but not by a server, or not by anything but an authority.
    #[error("its certificate is not one for a server: {why}")]
    Purpose {
        /// What it is for.
        why: String,
    },
    /// It wants to know who we are.
    #[error("it demands a client certificate")]
    WantsCertificate {
        /// Where one would be taken from.
        folder: String,
    },
    /// It does not take us for who we say we are.
    #[error("it does not accept the client certificate of {folder}: {alert}")]
    RefusesCertificate {
        /// Where ours comes from.
        folder: String,
        /// Its reason.
        alert: String,
    },
    /// It ended the connection before anything came over it.
    #[error("it hung up without a word")]
    HungUp {
        /// Where a certificate of ours would be taken from, if there is none.
        folder: Option<String>,
    },
    /// What listens there speaks something else.
    #[error("what listens there does not speak TLS")]
    Plain,
    /// What listens there speaks TLS, and we did not.
    #[error("what listens there does not take plain HTTP")]
    Wanted,
    /// The two have no version or cipher in common.
    #[error("it speaks no TLS that this program knows (1.2 and 1.3): {why}")]
    Version {
        /// What they could not agree on.
        why: String,
    },
    /// Anything else.
    #[error("{why}")]
    Other {
        /// What was said.
        why: String,
    },
}

fn at(time: Option<SystemTime>) -> String {
    time.map(|time| format!(" ({})", humantime::format_rfc3339_seconds(time))).unwrap_or_default()
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotBuilt => "use ssh://HOST, or build it with its feature `tls`, which is on by default".to_owned(),
            Self::Missing { .. } => {
                "name the folder with ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH;\n\
                 https:// instead of tcp://, without DOCKER_TLS_VERIFY, trusts this system's authorities"
                    .to_owned()
            }
            Self::Unreadable { .. } => "see who may read it with `ls -l`".to_owned(),
            Self::NoCertificate { .. } => "it has to hold -----BEGIN CERTIFICATE-----".to_owned(),
            Self::NoKey { .. } => "it has to hold -----BEGIN PRIVATE KEY-----".to_owned(),
            Self::Encrypted { path } => {
                format!("there is nobody to ask for its pass phrase; take it off: openssl pkey -in {0} -out {0}.plain", path.display())
            }
            Self::Unusable { path, .. } if path.ends_with("key.pem") => "see what is in it with `openssl pkey -noout -text -in FILE`".to_owned(),
            Self::Unusable { .. } => "see what is in it with `openssl x509 -noout -text -in FILE`".to_owned(),
            Self::Mismatch { .. } => {
                "they have to give the same: openssl x509 -noout -pubkey -in cert.pem; openssl pkey -pubout -in key.pem"
                    .to_owned()
            }
            Self::Name { .. } => "use the name that is in the engine's certificate".to_owned(),
            Self::Untrusted { folder, .. } => {
                format!("put the certificate of the authority that signed it into {folder} as ca.pem")
            }
            Self::OtherName { .. } => {
                "use one of its own names in the address, or make one with this name in it (subjectAltName)".to_owned()
            }
            Self::Expired { .. } | Self::TooEarly { .. } => {
                "see that the clock of this host is right; else the engine needs a new one".to_owned()
            }
            Self::Purpose { .. } => {
                "give the engine one signed by ca.pem, with extendedKeyUsage serverAuth and without CA:TRUE".to_owned()
            }
            Self::WantsCertificate { folder } | Self::HungUp { folder: Some(folder) } => {
                let certificates = format!("put cert.pem and key.pem, signed by its authority, into {folder}: it takes both");
                match self {
                    Self::HungUp { .. } => format!("if it demands a client certificate, {certificates};\nelse see its own log"),
                    _ => certificates,
                }
            }
            Self::HungUp { folder: None } => "see its own log, and that it is TLS that it speaks on this port".to_owned(),
            Self::RefusesCertificate { folder, .. } => format!(
                "see who signed it and how long it is valid: openssl x509 -noout -issuer -enddate -in {folder}/cert.pem"
            ),
            Self::Plain => {
                "use the port for TLS (Docker's is 2376), or unset DOCKER_TLS_VERIFY and DOCKER_TLS: plain TCP lets anybody \
                 on the way\nread and change everything, so better use ssh://"
                    .to_owned()
            }
            Self::Wanted => "if it wants TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of its ca.pem".to_owned(),
            Self::Version { .. } => "bring the engine up to date".to_owned(),
            Self::Other { .. } => "try `docker version` with the same settings, and see the engine's own log".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotBuilt
            | Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::NoCertificate { .. }
            | Self::NoKey { .. }
            | Self::Encrypted { .. }
            | Self::Unusable { .. }
            | Self::Mismatch { .. }
            | Self::Name { .. } => Exit::Usage,
            _ => Exit::Unreachable,
        }
    }
}
