#!/usr/bin/env python3
"""badserver.py - an HTTPS server that misbehaves in one way.

usage: badserver.py MODE [--cert PEM --key PEM] [--body FILE] [--port N]
Prints its port as one line and serves until it is killed; on 127.0.0.1 only.
Without --cert it speaks plain HTTP. `badserver.py --list` names the modes.

As a module:  with BadServer("truncate@1000", cert, key, body) as server:
                  ... server.url("/fw.bin"), server.requests

It is written on sockets, not on http.server: most of what it does is wrong.
"""

import argparse
import re
import socket
import ssl
import struct
import sys
import threading
import time

HTML = (b"<!DOCTYPE html><html><head><title>Login</title></head>"
        b"<body><h1>Welcome to the hotel</h1></body></html>\n")


class Gone(Exception):
    """The connection is over, as it should be."""


class Exchange:
    """One request, and the means to answer it badly."""

    def __init__(self, server, sock, head):
        self.server, self.sock, self.head = server, sock, head
        self.body, self.arg = server.body, server.arg
        words = head.split(b"\r\n", 1)[0].split(b" ")
        self.method = words[0].decode("latin-1")
        self.path = words[1].decode("latin-1") if len(words) > 1 else "/"

    def field(self, name):
        found = re.search(rb"(?im)^%s:[ \t]*(.*?)[ \t]*\r$" % name.encode(),
                          self.head + b"\r\n")
        return found[1].decode("latin-1") if found else None

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        self.sock.sendall(data)

    def start(self, status="200 OK", length=None, extra=""):
        text = f"HTTP/1.1 {status}\r\n{extra}"
        if length is not None:
            text += f"Content-Length: {length}\r\n"
        self.send(text + "\r\n")

    def answer(self, body, status="200 OK", extra=""):
        self.start(status, len(body), extra)
        if self.method != "HEAD":
            self.send(body)

    def number(self, default):
        return int(self.arg, 0) if self.arg else default

    def silence(self):
        """Nothing more until the client goes."""
        self.server.stopping.wait(0.01)
        while not self.server.stopping.is_set():
            self.sock.settimeout(0.2)
            try:
                if not self.sock.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        raise Gone

    def reset(self):
        """A TCP reset instead of an end."""
        raw = self.server.raw(self.sock)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                       struct.pack("ii", 1, 0))
        raw.close()
        raise Gone

    def close(self):
        raise Gone


# --- the ways to misbehave: a function each, its doc string is its claim ----

def mode_ok(x):
    """nothing is wrong; ranges are served"""
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", x.field("Range") or "")
    if not asked:
        x.answer(x.body, extra="Accept-Ranges: bytes\r\n")
        return
    first = int(asked[1])
    last = min(int(asked[2] or len(x.body)), len(x.body) - 1)
    if first > last:
        x.answer(b"", "416 Range Not Satisfiable",
                 f"Content-Range: bytes */{len(x.body)}\r\n")
        return
    x.answer(x.body[first:last + 1], "206 Partial Content",
             f"Content-Range: bytes {first}-{last}/{len(x.body)}\r\n")


def mode_truncate(x):
    """the connection ends after N bytes of the body"""
    x.start(length=len(x.body))
    x.send(x.body[:x.number(1000)])
    x.close()


def mode_stall(x):
    """silence for ever after N bytes of the body"""
    x.start(length=len(x.body))
    x.send(x.body[:x.number(1000)])
    x.silence()


def mode_reset(x):
    """a TCP reset after N bytes of the body"""
    x.start(length=len(x.body))
    x.send(x.body[:x.number(1000)])
    time.sleep(0.05)  # so that they arrive before the reset
    x.reset()


def mode_mute(x):
    """the request is read and never answered"""
    x.silence()


def mode_close(x):
    """the request is read and the connection closed"""
    x.close()


def mode_oversize(x):
    """N bytes behind the end of the image, announced"""
    x.answer(x.body + b"\x5a" * x.number(100))


def mode_wrong_length(x):
    """Content-Length is N more than what comes"""
    x.start(length=len(x.body) + x.number(100))
    x.send(x.body)
    x.close()


def mode_short_length(x):
    """Content-Length is N less than what comes"""
    x.start(length=len(x.body) - x.number(100))
    x.send(x.body)
    x.close()


def mode_html(x):
    """a page of HTML with status 200, as a captive portal sends"""
    x.answer(HTML, extra="Content-Type: text/html\r\n")


def mode_status(x):
    """status N with a short text"""
    x.answer(b"no such luck\n", f"{x.number(500)} Because",
             "Content-Type: text/plain\r\n")


def mode_busy(x):
    """503 with a Retry-After of N seconds"""
    x.answer(b"later\n", "503 Busy", f"Retry-After: {x.number(60)}\r\n"
             "Content-Type: text/plain\r\n")


def mode_redirect(x):
    """302 to the Location that follows the '@', until /target is asked"""
    if x.path == "/target":
        mode_ok(x)
    else:
        x.answer(b"over there", "302 Found",
                 f"Location: {x.arg.replace('PORT', str(x.server.port))}\r\n")


def mode_redirect_chain(x):
    """N redirects, then the body"""
    step = int(x.path[2:]) if re.fullmatch(r"/r\d+", x.path) else 0
    if step >= x.number(3):
        mode_ok(x)
    else:
        x.answer(b"", "302 Found", f"Location: /r{step + 1}\r\n")


def mode_redirect_loop(x):
    """/a sends to /b and /b to /a"""
    x.answer(b"", "302 Found",
             "Location: " + ("/b" if x.path == "/a" else "/a") + "\r\n")


def mode_redirect_nowhere(x):
    """302 without Location"""
    x.answer(b"", "302 Found")


def mode_chunked(x):
    """chunked, in chunks of N bytes with extensions and a trailer"""
    step = x.number(1000)
    x.start(extra="Transfer-Encoding: chunked\r\n")
    for at in range(0, len(x.body), step):
        part = x.body[at:at + step]
        x.send(b"%x;name=value\r\n%s\r\n" % (len(part), part))
    x.send("0\r\nX-Trailer: t\r\n\r\n")


def mode_chunk_cut(x):
    """chunked, and closed before the last chunk"""
    x.start(extra="Transfer-Encoding: chunked\r\n")
    x.send(b"%x\r\n%s\r\n" % (len(x.body), x.body))
    x.close()


def mode_chunk_overflow(x):
    """a chunk size of 65 bits"""
    x.start(extra="Transfer-Encoding: chunked\r\n")
    x.send(b"1%016x\r\n%s\r\n0\r\n\r\n" % (len(x.body), x.body))


def mode_no_length(x):
    """no Content-Length; the end of the connection is the end"""
    x.start(extra="Connection: close\r\n")
    x.send(x.body)
    x.server.say_goodbye(x.sock)
    x.close()


def mode_bare_close(x):
    """the same without TLS's good-bye, at N bytes if given"""
    x.start(extra="Connection: close\r\n")
    x.send(x.body[:x.number(len(x.body))])
    x.close()


def mode_range_ignored(x):
    """200 and the whole body, whatever range was asked for"""
    x.answer(x.body)


def mode_whole_part(x):
    """206 with the whole file, though nobody asked for a part"""
    if x.field("Range"):
        return mode_ok(x)
    x.answer(x.body, "206 Partial Content", "Content-Range: bytes "
             f"0-{len(x.body) - 1}/{len(x.body)}\r\n")


def mode_range_wrong(x):
    """206 with the right range and other bytes: those N earlier"""
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", x.field("Range") or "")
    if not asked or int(asked[1]) == 0:
        mode_ok(x)
        return
    first = int(asked[1])
    last = min(int(asked[2] or len(x.body)), len(x.body) - 1)
    off = x.number(16)
    x.answer(x.body[first - off:last + 1 - off], "206 Partial Content",
             f"Content-Range: bytes {first}-{last}/{len(x.body)}\r\n")


def part(x, send, extra=""):
    """The head of a 206 for what was asked, and then send(first, end)."""
    asked = re.match(r"bytes=(\d+)-(\d*)", x.field("Range") or "bytes=0-")
    first = int(asked[1])
    end = min(int(asked[2] or len(x.body)) + 1, len(x.body))
    x.start("206 Partial Content", extra=extra + "Content-Range: bytes "
            f"{first}-{end - 1}/{len(x.body)}\r\n")
    send(first, end)


def mode_part_empty(x):
    """206 for each range, and in chunks not one byte of it"""
    part(x, lambda first, end: x.send("0\r\n\r\n"),
         "Transfer-Encoding: chunked\r\n")


def mode_part_closed(x):
    """206 for each range, and the connection ends at once"""
    part(x, lambda first, end: x.close())


def mode_part_excess(x):
    """206 with N bytes more than Content-Range says"""
    def send(first, end):
        data = x.body[first:end] + bytes(x.number(10))
        x.send(f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n")
    part(x, send, "Transfer-Encoding: chunked\r\n")


def mode_part_drip(x):
    """206 with one byte of each range, after N milliseconds"""
    x.server.stopping.wait(x.number(300) / 1000)
    first = int(re.match(r"bytes=(\d+)", x.field("Range"))[1])
    x.answer(x.body[first:first + 1], "206 Partial Content", "Content-Range: "
             f"bytes {first}-{first}/{len(x.body)}\r\n")


def mode_echo(x):
    """status N with a page that repeats the request"""
    x.answer(x.head, f"{x.arg} No", "Content-Type: text/plain\r\n")


def mode_trickle(x):
    """one byte of the body each N milliseconds"""
    x.start(length=len(x.body))
    for i in range(len(x.body)):
        x.send(x.body[i:i + 1])
        if x.server.stopping.wait(x.number(100) / 1000):
            break
    x.close()


def mode_trickle_head(x):
    """one byte of the head each N milliseconds"""
    for byte in b"HTTP/1.1 200 OK\r\nX-Filler: " + b"." * 100000:
        x.send(bytes([byte]))
        if x.server.stopping.wait(x.number(100) / 1000):
            break
    x.close()


def mode_endless_headers(x):
    """header after header"""
    x.send("HTTP/1.1 200 OK\r\n")
    while not x.server.stopping.is_set():
        x.send("X-Filler: " + "again " * 100 + "\r\n")


def mode_endless_interim(x):
    """100 Continue after 100 Continue"""
    while not x.server.stopping.is_set():
        x.send("HTTP/1.1 100 Continue\r\n\r\n")


def mode_long_headers(x):
    """headers of N bytes each, three of them, around a good answer"""
    filler = "x" * x.number(20000)
    x.answer(x.body, extra="".join(f"X-{i}: {filler}\r\n" for i in range(3)))


def mode_interim(x):
    """100 and 103 before the answer"""
    x.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
           "Link: </x>\r\n\r\n")
    mode_ok(x)


def mode_garbage(x):
    """bytes that are no HTTP"""
    x.send(bytes(range(1, 256)) * 16)
    x.close()


def mode_two_lengths(x):
    """two Content-Length that differ"""
    x.answer(x.body, extra=f"Content-Length: {len(x.body) - 1}\r\n")


def mode_smuggle(x):
    """Content-Length beside Transfer-Encoding"""
    x.answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(x.body), x.body),
             extra="Transfer-Encoding: chunked\r\n")


def mode_nul(x):
    """a NUL in a header"""
    x.answer(x.body, extra="X: a\0b\r\n")


def mode_bare_cr(x):
    """a CR without LF in a header"""
    x.answer(x.body, extra="X: a\rb\r\n")


def mode_folded(x):
    """a header over two lines"""
    x.answer(x.body, extra="X: a\r\n b\r\n")


def mode_gzip(x):
    """a Content-Encoding that nobody asked for"""
    x.answer(x.body, extra="Content-Encoding: gzip\r\n")


def mode_http10(x):
    """HTTP/1.0 without length"""
    x.send("HTTP/1.0 200 OK\r\n\r\n")
    x.send(x.body)
    x.server.say_goodbye(x.sock)
    x.close()


# Before a request is read, on the TCP connection.

def tcp_silent(server, sock):
    """the connection is accepted and nothing follows, not even TLS"""
    sock.settimeout(0.2)
    while not server.stopping.is_set():
        try:
            if not sock.recv(4096):
                break
        except TimeoutError:
            continue


def tcp_slam(server, sock):
    """the connection is accepted and closed"""
    del server, sock


def tcp_hang_up(server, sock):
    """TLS's hello is read, then the connection is reset"""
    del server
    sock.recv(4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def tcp_not_tls(server, sock):
    """an answer in plain text to TLS's hello"""
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    server.linger(sock)


def tcp_tls_1_1(server, sock):
    """a ServerHello of TLS 1.1"""
    sock.recv(4096)
    hello = b"\x03\x02" + b"R" * 32 + b"\0" + b"\xc0\x13" + b"\0"
    sock.sendall(b"\x16\x03\x02" + struct.pack(">H", len(hello) + 4) +
                 b"\x02\0" + struct.pack(">H", len(hello)) + hello)
    server.linger(sock)


def tcp_alert(server, sock):
    """TLS alert N"""
    sock.recv(4096)
    sock.sendall(b"\x15\x03\x03\0\x02\x02" +
                 bytes([int(server.arg or "40")]))
    server.linger(sock)


def functions(prefix):
    return {name[len(prefix):].replace("_", "-"): value
            for name, value in sorted(globals().items())
            if name.startswith(prefix)}


MODES, TCP_MODES = functions("mode_"), functions("tcp_")


class BadServer:
    """Serves in threads of its own until it is closed."""

    def __init__(self, mode, certfile=None, keyfile=None, body=b"",
                 port=0, context=None):
        self.name, _, self.arg = re.sub("=", "@", mode, 1).partition("@")
        if self.name not in {**MODES, **TCP_MODES}:
            raise ValueError(f"no mode {self.name!r}; "
                             f"there are: {', '.join({**MODES, **TCP_MODES})}")
        self.body, self.requests = body, []
        self.connections = self.handshakes = 0
        self.context = context
        if certfile and not context:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certfile, keyfile)
        self.stopping = threading.Event()
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.main = threading.Thread(target=self.accept, daemon=True)
        self.main.start()

    def url(self, path="/", host="localhost"):
        scheme = "https" if self.context else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.stopping.set()
        # accept() ends before the descriptor is closed: the next listener gets
        # the same one, and a thread on its way into accept() would take its
        # first connection.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.main.join()
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                break
            self.connections += 1
            thread = threading.Thread(target=self.serve, args=(sock,),
                                      daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.name in TCP_MODES:
                TCP_MODES[self.name](self, sock)
                return
            sock.settimeout(30)
            if self.context:
                sock = self.context.wrap_socket(
                    sock, server_side=True, suppress_ragged_eofs=True)
                self.handshakes += 1
            while not self.stopping.is_set():
                self.exchange(sock)
        except (Gone, OSError, ValueError):
            pass  # clients of a bad server go away; so do their handshakes
        finally:
            sock.close()

    def exchange(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(4096)
            if not part:
                raise Gone
            head += part
        self.requests.append(head.split(b"\r\n\r\n")[0].decode("latin-1"))
        MODES[self.name](Exchange(self, sock, head))

    @staticmethod
    def raw(sock):
        """The TCP socket below TLS, taken from it: its end says nothing."""
        if isinstance(sock, ssl.SSLSocket):
            return socket.socket(fileno=sock.detach())
        return sock

    @staticmethod
    def linger(sock):
        """What was sent arrives before the end: a close with unread bytes
        would be a reset."""
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(5)
        while sock.recv(4096):
            pass

    @staticmethod
    def say_goodbye(sock):
        """TLS's close_notify; then the client's, if it sends one."""
        if isinstance(sock, ssl.SSLSocket):
            sock.settimeout(5)
            try:
                sock.unwrap()
            except OSError:
                pass


def main():
    parser = argparse.ArgumentParser(
        description="An HTTPS server that misbehaves in one way.")
    parser.add_argument("mode", nargs="?", default="ok")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--body")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for name, mode in {**MODES, **TCP_MODES}.items():
            print(f"{name:18} {mode.__doc__}")
        return 0
    body = HTML
    if args.body:
        with open(args.body, "rb") as f:
            body = f.read()
    server = BadServer(args.mode, args.cert, args.key, body, args.port)
    print(server.port, flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
