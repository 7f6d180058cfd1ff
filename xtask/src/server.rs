//! Static files on localhost, with the headers a host would send.
//!
//! Comes in: folders, searched in order, and a port. Goes out: GET and HEAD answers. Other methods
//! get 405, everything outside the folders 404. Fails when no port is free.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::site::HEADERS;

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

/// The folders that are served, as real paths.
#[derive(Clone)]
pub struct Site {
    roots: Arc<[PathBuf]>,
}

impl Site {
    /// Fails where a folder does not exist.
    pub fn open(roots: &[PathBuf]) -> Result<Self> {
        let real = |root: &PathBuf| {
            fs::canonicalize(root).with_context(|| format!("{} is missing; run `cargo xtask build`", root.display()))
        };
        Ok(Self { roots: roots.iter().map(real).collect::<Result<_>>()? })
    }

    /// The file behind a URL path, only if it lies inside one of the folders.
    fn find(&self, url: &str) -> Option<PathBuf> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let decoded = percent_decode(path)?;
        let relative = Path::new(decoded.trim_start_matches('/'));
        let plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(name) if !name.to_string_lossy().starts_with('.')));
        if !plain || decoded.contains(['\\', '\0']) {
            return None;
        }
        self.roots.iter().find_map(|root| {
            let mut file = root.join(relative);
            if file.is_dir() {
                file.push("index.html");
            }
            // The real path also uncovers links that lead out of the folder.
            fs::canonicalize(file).ok().filter(|real| real.starts_with(root) && real.is_file())
        })
    }
}

/// Listens on localhost only.
pub fn bind(port: Port) -> Result<(Arc<Server>, SocketAddr)> {
    let candidates = match port {
        Port::Exactly(port) => port..=port,
        Port::FromDefault => DEFAULT_PORT..=DEFAULT_PORT + PORTS_TRIED,
    };
    let mut last = None;
    for candidate in candidates {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)) {
            Ok(listener) => {
                let address = listener.local_addr().context("the listening socket has no address")?;
                let server =
                    Server::from_listener(listener, None).map_err(|e| anyhow!("no server on {address}: {e}"))?;
                return Ok((Arc::new(server), address));
            }
            Err(error) => last = Some((candidate, error)),
        }
    }
    match last {
        Some((port, error)) => Err(anyhow!("port {port} is not free ({error}); choose another with --port")),
        None => Err(anyhow!("no port to try")),
    }
}

/// Answers until the process ends or the server is unblocked. A thread for each request, so that a
/// slow client keeps nobody else waiting.
pub fn run(server: &Server, site: &Site) {
    for request in server.incoming_requests() {
        let site = site.clone();
        thread::spawn(move || {
            // A client that went away is no fault of the server.
            let _ = answer(request, &site);
        });
    }
}

fn answer(request: Request, site: &Site) -> io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request
            .respond(with_headers(Response::from_string("method not allowed\n").with_status_code(405), None));
    }
    let Some(file) = site.find(request.url()) else {
        return request.respond(with_headers(Response::from_string("not found\n").with_status_code(404), None));
    };
    let content = File::open(&file)?;
    let length = usize::try_from(content.metadata()?.len()).ok();
    // Always with Content-Length: the page shows how much of a model is loaded.
    let response = Response::new(200.into(), Vec::new(), content, length, None).with_chunked_threshold(usize::MAX);
    request.respond(with_headers(response, Some(mime_type(&file))))
}

/// The security headers, the type, and no storing without asking again: files change while a
/// person works on them.
fn with_headers<R: io::Read>(mut response: Response<R>, mime: Option<&str>) -> Response<R> {
    let common = [("Content-Type", mime.unwrap_or("text/plain; charset=utf-8")), ("Cache-Control", "no-cache")];
    for (name, value) in common.iter().chain(HEADERS) {
        if let Ok(header) = Header::from_bytes(*name, *value) {
            response.add_header(header);
        }
    }
    response
}

fn mime_type(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "md" | "txt" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `None` for a bad escape or bytes that are not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn site() -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("sub folder")).unwrap();
        fs::write(root.join("index.html"), "<!doctype html>").unwrap();
        fs::write(root.join("sub folder/a.wasm"), vec![7; 100_000]).unwrap();
        fs::write(root.join(".stamp"), "hidden").unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), root.join("link.txt")).unwrap();
        let site = Site::open(&[root]).unwrap();
        (folder, site)
    }

    #[test]
    fn finds_only_what_lies_inside() {
        let (_folder, site) = site();
        assert!(site.find("/").unwrap().ends_with("index.html"));
        assert!(site.find("/index.html?model=x#y").is_some());
        assert!(site.find("/sub%20folder/a.wasm").is_some());
        for outside in ["/../secret.txt", "/%2e%2e/secret.txt", "/sub folder/../../secret.txt", "//etc/passwd"] {
            assert_eq!(site.find(outside), None, "{outside}");
        }
        for hidden in ["/.stamp", "/link.txt", "/missing", "/sub%20folder", "/%zz", "/%ff", "/a%5c..%5cb"] {
            assert_eq!(site.find(hidden), None, "{hidden}");
        }
    }

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn answers_with_type_length_and_policy() {
        let (_folder, site) = site();
        let (server, address) = bind(Port::Exactly(0)).unwrap();
        let background = Arc::clone(&server);
        let thread = thread::spawn(move || run(&background, &site));
        // A client that says nothing must not keep the others waiting.
        let _silent = TcpStream::connect(address).unwrap();

        let end = "Host: localhost\r\nConnection: close\r\n\r\n";
        let wasm = ask(address, &format!("GET /sub%20folder/a.wasm HTTP/1.1\r\n{end}"));
        assert!(wasm.starts_with("HTTP/1.1 200"));
        assert!(wasm.contains("Content-Type: application/wasm"));
        assert!(wasm.contains("Content-Length: 100000"));
        assert!(wasm.contains("Content-Security-Policy: default-src 'none'"));
        assert!(wasm.contains("X-Content-Type-Options: nosniff"));
        assert_eq!(wasm.matches("Content-Type:").count(), 1);
        let missing = ask(address, &format!("GET /nothing HTTP/1.1\r\n{end}"));
        assert!(missing.starts_with("HTTP/1.1 404"));
        assert!(ask(address, &format!("POST / HTTP/1.1\r\n{end}")).starts_with("HTTP/1.1 405"));
        assert!(ask(address, &format!("GET /../secret.txt HTTP/1.1\r\n{end}")).starts_with("HTTP/1.1 404"));

        server.unblock();
        thread.join().unwrap();
    }
}
