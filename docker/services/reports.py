"""A service without any code for tokens. nginx asks Keyslot about each request, and adds who sends it."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Reports(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.headers.get("X-Auth-Username")
        reader = unquote(name) if name else self.headers.get("X-Auth-Subject")
        body = json.dumps({"reports": [], "reader": reader}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # nginx logs each request.


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
ThreadingHTTPServer(address, Reports).serve_forever()
