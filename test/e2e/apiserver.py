"""Servers whose answers are a Python function, and that remember what they
were asked. One process, ephemeral ports on 127.0.0.1."""

import http.server
import ssl
import threading


class Answer:
    """body may be bytes or text; ranges: honour a Range header; breaks: the
    connection ends after so many bytes of the body."""

    def __init__(self, status=200, headers=(), body=b"", ranges=False,
                 breaks=None):
        self.status, self.headers = status, list(headers)
        self.body = body.encode() if isinstance(body, str) else body
        self.ranges, self.breaks = ranges, breaks

    def cut(self, field):
        if not (self.ranges and self.status == 200 and field):
            return
        first, last = field.split("=")[1].split("-")
        total, first = len(self.body), int(first)
        last = min(int(last or total), total - 1)
        self.status, self.body = 206, self.body[first:last + 1]
        self.headers.append(("Content-Range", f"bytes {first}-{last}/{total}"))


class Request:
    def __init__(self, handler, body):
        self.method, self.path = handler.command, handler.path
        self.headers, self.body = handler.headers, body
        self.connection = handler.connection_id

    def get(self, name):
        return self.headers.get(name)

    def __repr__(self):
        return f"{self.method} {self.path} {dict(self.headers)}"


class Server:
    """with Server(function, cert, key) as s: s.url("/x"), s.requests

    function(request) returns an Answer. Without a certificate: plain HTTP."""

    def __init__(self, function, cert=None, key=None):
        self.function, self.requests = function, []
        self.scheme = "https" if cert else "http"
        server = self
        ids = iter(range(1, 1 << 30))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def setup(self):
                self.connection_id = next(ids)
                super().setup()

            def do(self):
                length = int(self.headers.get("Content-Length") or 0)
                server.answer(self, Request(self, self.rfile.read(length)))

            do_GET = do_POST = do_HEAD = do_PUT = do

            def log_message(self, *args):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, sock, address):
                if cert:
                    sock = context.wrap_socket(sock, server_side=True)
                super().finish_request(sock, address)

            def handle_error(self, request, address):
                pass

        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self.listener.server_address[1]

    def answer(self, handler, request):
        self.requests.append(request)
        said = self.function(request)
        said.cut(request.get("Range"))
        handler.send_response(said.status)
        for name, value in said.headers:
            handler.send_header(name, value)
        if said.status not in (204, 304):
            handler.send_header("Content-Length", str(len(said.body)))
        handler.end_headers()
        if said.status not in (204, 304) and request.method != "HEAD":
            handler.wfile.write(said.body[:said.breaks])
            handler.close_connection |= said.breaks is not None

    def url(self, path="/", host="localhost"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def paths(self):
        return [r.path.split("?")[0] for r in self.requests]

    @property
    def connections(self):
        return len({r.connection for r in self.requests})

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever,
                         kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.listener.shutdown()
        self.listener.server_close()
