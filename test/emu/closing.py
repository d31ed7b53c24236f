"""A TLS server on OpenSSL that does what makes a board shake hands again: it
redirects to another one, and closes the connection after every answer."""

import http.server
import re
import ssl
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # HTTP/1.0: the connection ends with the answer
        body = self.server.body
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        part = re.fullmatch(r"bytes=(\d+)-(\d*)",
                            self.headers.get("Range", ""))
        first = int(part[1]) if part else 0
        last = min(int(part[2]) if part and part[2] else len(body) - 1,
                   len(body) - 1)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range",
                             f"bytes {first}-{last}/{len(body)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body[first:last + 1])

    def log_message(self, *args):
        pass


class ClosingServer:
    """with ClosingServer(body, cert, key) as s: s.url(host, "fw.bin")

    cert may hold the certificates between the server's and the authority's."""

    def __init__(self, body, cert, key, elsewhere="", version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        if version == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.socket = context.wrap_socket(self.server.socket,
                                                 server_side=True)
        self.server.body, self.server.elsewhere = body, elsewhere

    def url(self, host, name="fw.bin"):
        return f"https://{host}:{self.server.server_port}/{name}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()
