//! Makes connections, by rustls.

mod explain;
mod files;
mod unverified;

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::{Error, Tls, Trust};

/// Makes connections to one engine. Cheap to clone; later connections resume the session of the first.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
    facts: Arc<Facts>,
}

/// What an error has to tell of.
#[derive(Debug, Clone)]
struct Facts {
    host: String,
    /// Where the files belong, in words.
    folder: String,
    /// Who vouches, in words.
    authorities: String,
    /// Whether there is a certificate of our own.
    authenticated: bool,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.facts.fmt(f)
    }
}

impl Connector {
    /// Reads the files. Nothing is connected.
    ///
    /// # Errors
    /// If a file is missing that has to be there, or one that is there cannot be used.
    pub fn new(host: &str, tls: &Tls) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Name { host: host.to_owned() })?;
        let provider = Arc::new(ring::default_provider());
        let (builder, authorities) = roots(tls, &provider)?;
        let pair = tls.folder.as_deref().map_or(Ok(None), files::pair)?;
        let authenticated = pair.is_some();
        let config = match pair {
            Some((chain, key)) => {
                let folder = tls.folder.clone().unwrap_or_default();
                builder.with_client_auth_cert(chain, key).map_err(|error| Error::of_pair(&error, folder))?
            }
            None => builder.with_no_client_auth(),
        };
        let folder =
            tls.folder.as_deref().map_or_else(|| "DOCKER_CERT_PATH".to_owned(), |path| path.display().to_string());
        let facts = Facts { host: host.to_owned(), folder, authorities, authenticated };
        Ok(Self { tls: Arc::new(config).into(), name, facts: Arc::new(facts) })
    }

    /// Makes a connection safe.
    ///
    /// # Errors
    /// If the two do not come to terms.
    pub async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        self.tls.connect(self.name.clone(), stream).await.map_err(|error| self.explain(&error))
    }

    /// What an error of the connection means, until the first answer: only then an engine says what it thinks of our
    /// certificate.
    #[must_use]
    pub fn explain(&self, error: &io::Error) -> Error {
        self.facts.explain(error)
    }

    /// What it means that the connection ended where the first answer should have come.
    #[must_use]
    pub fn hung_up(&self) -> Error {
        self.facts.hung_up()
    }
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

/// Who vouches for the engine, for the machine and in words.
fn roots(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<(Builder, String), Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Other { why: error.to_string() })?;
    if tls.trust == Trust::Anybody {
        let verifier = unverified::Anybody::new(provider);
        return Ok((builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)), "nobody".to_owned()));
    }
    let mut store = RootCertStore::empty();
    let given = tls.folder.as_deref().map_or(Ok(None), files::authorities)?;
    let authorities = match (given, &tls.folder) {
        (Some(certificates), Some(folder)) => {
            let path = folder.join(files::AUTHORITIES);
            for certificate in certificates {
                let why = |error: rustls::Error| Error::Unusable { path: path.clone(), why: error.to_string() };
                store.add(certificate).map_err(why)?;
            }
            path.display().to_string()
        }
        _ if tls.trust == Trust::Authority => {
            return Err(Error::Missing { path: tls.folder.clone().unwrap_or_default().join(files::AUTHORITIES) });
        }
        _ => {
            // Some of the system's may be old and odd: what can be used of them is.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "this system's list".to_owned()
        }
    };
    Ok((builder.with_root_certificates(store), authorities))
}
