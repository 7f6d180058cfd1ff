"""Serves the folder that this file lies in, to this machine only: python3 serve.py [PORT]"""
import functools, http.server, pathlib, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    # Some systems have other ideas of these, and then browsers do not run the page.
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}
handler = functools.partial(Handler, directory=str(pathlib.Path(__file__).resolve().parent))
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), handler)
print(f"Open http://localhost:{server.server_port}/ in a browser. End with Ctrl-C.", flush=True)
server.serve_forever()
