"""A small web application that says what reached it. Prints its port.

/stream/N        N MB, chunked, in pieces
/ticks/N         N server-sent events, one each second
/status/NNN      that status
/setcookie       sets two cookies
/plant           sets cookies of Doorward's names, and one of its own
/upgrade         with an Upgrade header: 101, then every byte comes back
anything else    the request as JSON: method, path, headers (pairs in order),
                 length and sha256 of the body, and the client's port
"""

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        digest, length = self.read_body()
        path = self.path.split("?")[0]
        if path.startswith("/stream"):
            self.stream(int(path.rpartition("/")[2] or 1))
        elif path.startswith("/ticks/"):
            self.tick(int(path.rpartition("/")[2]))
        elif path.startswith("/status/"):
            self.answer(int(path.rpartition("/")[2]), b"")
        elif path == "/setcookie":
            self.answer(200, b"", [("Set-Cookie", "one=1; Path=/"), ("Set-Cookie", "two=2; HttpOnly")])
        elif path == "/plant":
            planted = ["doorward=x; Path=/p", "__Host-doorward=x; Path=/; Secure", "=doorward=x", "own=1; Path=/"]
            self.answer(200, b"", [("Set-Cookie", cookie) for cookie in planted])
        elif path == "/upgrade" and "Upgrade" in self.headers:
            self.tunnel()
        else:
            seen = {
                "method": self.command,
                "path": self.path,
                "headers": self.headers.items(),
                "body_length": length,
                "body_sha256": digest,
                "client_port": self.client_address[1],
            }
            self.answer(200, json.dumps(seen).encode(), [("Content-Type", "application/json")])

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = do_GET

    def read_body(self):
        digest, length = hashlib.sha256(), 0
        for piece in self.pieces():
            digest.update(piece)
            length += len(piece)
        return digest.hexdigest(), length

    def pieces(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left > 0 and (piece := self.rfile.read(min(left, 65536))):
                left -= len(piece)
                yield piece

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status >= 200 and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def stream(self, megabytes):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"%x\r\n%s\r\n" % (16384, b"x" * 16384)
        for _ in range(megabytes * 64):
            self.wfile.write(piece)
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def tick(self, seconds):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(seconds):
            self.wfile.write(b"9\r\ndata: x\n\n\r\n")
            self.wfile.flush()
            time.sleep(1)
        self.wfile.write(b"0\r\n\r\n")

    def tunnel(self):
        self.close_connection = True
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        self.wfile.flush()
        while piece := self.rfile.read1(65536):
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Application)
print(f"listening {server.server_port}", flush=True)
server.serve_forever()
