//! The port.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::cluster::Cluster;
use crate::rest;

/// Answers whoever comes, until the runtime ends.
pub async fn serve(cluster: Arc<Cluster>, listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let (cluster, acceptor) = (Arc::clone(&cluster), acceptor.clone());
        tokio::spawn(async move {
            // Frames are small, and somebody waits for each of them.
            let _ = stream.set_nodelay(true);
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request| {
                let cluster = Arc::clone(&cluster);
                async move { Ok::<_, Infallible>(rest::answer(cluster, request).await) }
            });
            // A client that goes in the middle of something is no error of ours.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}
