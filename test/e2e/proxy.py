"""A proxy: CONNECT, and plain requests with whole URLs; Basic if wanted."""

import base64
import select
import socket
import socketserver
import threading
import urllib.parse


class Proxy:
    """with Proxy(user="u:p") as p: p.url(), p.heads: what it was told"""

    def __init__(self, user=None, refuse=None):
        self.user, self.refuse, self.heads = user, refuse, []
        self.opaque = b""  # first bytes of each tunnel
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    proxy.serve(self.request)
                except OSError:
                    pass

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self.listener.server_address[1]

    def url(self, user=None):
        return f"http://{user + '@' if user else ''}127.0.0.1:{self.port}"

    def allowed(self, head):
        if not self.user:
            return True
        want = base64.b64encode(self.user.encode()).decode()
        return f"proxy-authorization: basic {want}".lower() in head.lower()

    def serve(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(4096)
            if not piece:
                return
            data += piece
        head = data.decode("latin-1")
        self.heads.append(head)
        if not self.allowed(head):
            sock.sendall(b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic "
                         b"realm=\"p\"\r\nContent-Length: 0\r\n\r\n")
            return
        if self.refuse:
            sock.sendall(f"HTTP/1.1 {self.refuse} No\r\n\r\n".encode())
            return
        method, target = head.split(" ")[:2]
        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as up:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n"
                             b"Proxy-Agent: test\r\n\r\n")
                self.pump(sock, up)
            return
        url = urllib.parse.urlsplit(target)
        lines = [line for line in head.split("\r\n")[1:-2]
                 if not line.lower().startswith(("proxy-", "connection"))]
        path = url.path + ("?" + url.query if url.query else "")
        with socket.create_connection((url.hostname, url.port or 80)) as up:
            up.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *lines,
                                    "Connection: close", "", ""]).encode())
            self.pump(sock, up)

    def pump(self, a, b):
        while True:
            ready, _, _ = select.select([a, b], [], [], 20)
            if not ready:
                return
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                if one is a and len(self.opaque) < 4096:
                    self.opaque += data
                (b if one is a else a).sendall(data)

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever,
                         kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.listener.shutdown()
        self.listener.server_close()
