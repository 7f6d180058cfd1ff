//! Static files on localhost, with the headers a host would send.
//!
//! Comes in: folders, searched in order, and a port. Goes out: GET and HEAD answers. Other methods
//! get 405, everything outside the folders 404. Fails when no port is free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::headers::security_headers;

const DEFAULT_PORT: u16 = 8080;
/// How many ports after the default are tried.
const PORTS_TRIED: u16 = 50;

/// Which port to listen on.
#[derive(Clone, Copy)]
pub enum Port {
    /// The default, or the next free one.
    FromDefault,
    /// This one; 0 lets the system choose.
    Exactly(u16),
}

/// A server that has its port and waits to be run.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl Server {
    /// Takes a port on localhost for these folders.
    pub fn bind(port: Port, roots: &[PathBuf]) -> Result<Self> {
        let router = router(roots)?;
        let listener = listen(port)?;
        let address = listener.local_addr().context("the listening socket has no address")?;
        listener.set_nonblocking(true).context("the listening socket cannot be used")?;
        Ok(Self { runtime: Runtime::new().context("no threads for the server")?, listener, address, router })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process ends.
    pub fn run(self) -> Result<()> {
        let Self { runtime, listener, router, .. } = self;
        runtime.block_on(serve(listener, router))
    }

    /// Answers in the background until the handle is dropped.
    pub fn run_in_background(self) -> Runtime {
        let Self { runtime, listener, router, .. } = self;
        runtime.spawn(async move {
            if let Err(error) = serve(listener, router).await {
                eprintln!("the server stopped: {error:#}");
            }
        });
        runtime
    }
}

async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener).context("the listening socket cannot be used")?;
    axum::serve(listener, router).await.context("the server stopped")
}

fn listen(port: Port) -> Result<TcpListener> {
    let candidates = match port {
        Port::Exactly(port) => port..=port,
        Port::FromDefault => DEFAULT_PORT..=DEFAULT_PORT + PORTS_TRIED,
    };
    let mut last = None;
    for candidate in candidates {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some((candidate, error)),
        }
    }
    match last {
        Some((port, error)) => Err(anyhow!("port {port} is not free ({error}); choose another with --port")),
        None => Err(anyhow!("no port to try")),
    }
}

/// The folders one after the other, with the security headers, and no storing without asking
/// again: files change while a person works on them.
fn router(roots: &[PathBuf]) -> Result<Router> {
    let mut router: Option<Router> = None;
    for root in roots.iter().rev() {
        if !root.is_dir() {
            return Err(anyhow!("{} is missing; run `cargo xtask build`", root.display()));
        }
        router = Some(match router {
            Some(next) => Router::new().fallback_service(ServeDir::new(root).fallback(next)),
            None => Router::new().fallback_service(ServeDir::new(root)),
        });
    }
    let mut router = router.context("no folder to serve")?.layer(from_fn(as_text));
    let caching = ("Cache-Control".to_owned(), "no-cache".to_owned());
    for (name, value) in security_headers()?.into_iter().chain([caching]) {
        let header: HeaderName = name.parse().with_context(|| format!("{name} is no header"))?;
        let value: HeaderValue = value.parse().with_context(|| format!("{name} cannot have the value {value}"))?;
        router = router.layer(SetResponseHeaderLayer::overriding(header, value));
    }
    Ok(router)
}

/// Notices and model cards are read in the browser and not saved.
async fn as_text(request: Request, next: Next) -> Response {
    let is_text = [".md", ".ts"].iter().any(|ending| request.uri().path().ends_with(ending));
    let mut response = next.run(request).await;
    if is_text && response.status().is_success() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).to_ascii_lowercase()
    }

    #[test]
    fn answers_with_type_length_and_policy() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("root"), folder.path().join("other"));
        fs::create_dir_all(root.join("sub folder")).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(root.join("index.html"), "<!doctype html>").unwrap();
        fs::write(root.join("sub folder/a.wasm"), vec![7; 100_000]).unwrap();
        fs::write(root.join("card.md"), "# card").unwrap();
        fs::write(other.join("only-here.txt"), "second").unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        let server = Server::bind(Port::Exactly(0), &[root, other]).unwrap();
        let address = server.address();
        let _running = server.run_in_background();
        // Clients that say nothing must not keep the others waiting.
        let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();

        let end = "Host: localhost\r\nConnection: close\r\n\r\n";
        let wasm = ask(address, &format!("GET /sub%20folder/a.wasm HTTP/1.1\r\n{end}"));
        assert!(wasm.starts_with("http/1.1 200"), "{wasm:.300}");
        assert!(wasm.contains("content-type: application/wasm"));
        assert!(wasm.contains("content-length: 100000"));
        assert!(wasm.contains("content-security-policy: default-src 'none'"));
        assert!(wasm.contains("x-content-type-options: nosniff"));
        assert!(wasm.contains("cache-control: no-cache"));
        assert_eq!(wasm.matches("content-type:").count(), 1);
        assert!(ask(address, &format!("GET / HTTP/1.1\r\n{end}")).contains("text/html"));
        assert!(ask(address, &format!("GET /?model=x HTTP/1.1\r\n{end}")).contains("<!doctype"));
        assert!(ask(address, &format!("GET /card.md HTTP/1.1\r\n{end}")).contains("text/plain; charset=utf-8"));
        assert!(ask(address, &format!("GET /only-here.txt HTTP/1.1\r\n{end}")).ends_with("second"));
        assert!(ask(address, &format!("GET /nothing HTTP/1.1\r\n{end}")).starts_with("http/1.1 404"));
        assert!(ask(address, &format!("POST / HTTP/1.1\r\n{end}")).starts_with("http/1.1 405"));
        for outside in ["/../secret.txt", "/%2e%2e/secret.txt", "/sub%20folder/../../secret.txt", "//etc/passwd"] {
            let answer = ask(address, &format!("GET {outside} HTTP/1.1\r\n{end}"));
            assert!(!answer.starts_with("http/1.1 200") && !answer.ends_with("secret"), "{outside}: {answer}");
        }
        drop(silent);
    }
}
