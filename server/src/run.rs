//! A server from its start to its end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use lattice_core::{Code, Error};
use tokio::runtime::Builder;

use crate::limits::{HEAD_TIME, STOP_TIME, STREAM_BYTES, STREAMS};

/// The files of a server's certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Tls {
    /// Reads the files, to say now what is wrong with them.
    ///
    /// # Errors
    ///
    /// `IO_ERROR`.
    pub fn check(&self) -> Result<(), Error> {
        let runtime = Builder::new_current_thread()
            .build()
            .map_err(|error| io("the server cannot start", &error.to_string()))?;
        runtime.block_on(self.load()).map(drop)
    }

    async fn load(&self) -> Result<RustlsConfig, Error> {
        // Another provider may be there already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = RustlsConfig::from_pem_file(&self.certificate, &self.key).await;
        config.map_err(|error| {
            let message = format!(
                "the certificate `{}` with the key `{}` cannot be used: {error}",
                self.certificate.display(),
                self.key.display()
            );
            Error::new(Code::IoError, message)
                .with_help("name PEM files that belong together with `--tls-cert` and `--tls-key`")
        })
    }
}

/// Serves on `listener` until the process is told to stop (`SIGTERM`, `SIGINT`), then finishes what it has begun: no
/// transaction is left in the middle.
///
/// # Errors
///
/// `IO_ERROR` for a certificate that cannot be used, or where the system refuses.
pub fn serve(listener: TcpListener, router: Router, tls: Option<&Tls>) -> Result<(), Error> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| io("the server cannot start", &error.to_string()))?;
    let served = runtime.block_on(run(listener, router, tls));
    // Also what goes on for clients that no longer wait for it.
    runtime.shutdown_timeout(STOP_TIME);
    served
}

async fn run(listener: TcpListener, router: Router, tls: Option<&Tls>) -> Result<(), Error> {
    let handle = Handle::new();
    tokio::spawn(stop(handle.clone()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let failed = |error: std::io::Error| io("the server cannot go on", &error.to_string());
    match tls {
        None => {
            let mut server = axum_server::from_tcp(listener)
                .map_err(failed)?
                .handle(handle)
                .first_request_timeout(HEAD_TIME);
            limit(server.http_builder());
            server.serve(service).await.map_err(failed)
        }
        Some(tls) => {
            let config = tls.load().await?;
            let mut server = axum_server::from_tcp_rustls(listener, config)
                .map_err(failed)?
                .handle(handle)
                .first_request_timeout(HEAD_TIME);
            limit(server.http_builder());
            server.serve(service).await.map_err(failed)
        }
    }
}

/// Keeps one connection from taking what is for all.
fn limit(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().header_read_timeout(HEAD_TIME);
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(STREAM_BYTES)
        .keep_alive_interval(Some(HEAD_TIME))
        .keep_alive_timeout(HEAD_TIME);
}

/// Waits until the process is told to stop, and passes it on.
async fn stop(handle: Handle<SocketAddr>) {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(STOP_TIME));
}

fn io(message: &str, reason: &str) -> Error {
    Error::new(Code::IoError, format!("{message}: {reason}"))
        .with_help("check the flags of `al serve`, and what else runs on this machine")
}
