"""Every state in which an update waits for somebody else, and how to tell that
it got there."""

import contextlib
import os
import socket
import tempfile
import time

from badserver import BadServer


def hang_dns():
    """The library of hang_dns.c, beside the programs."""
    programs = os.environ.get("PORTA_BIN", os.path.join(
        os.path.dirname(__file__), "..", "..", "build", "bin"))
    return os.path.abspath(os.path.join(programs, "..", "test-lib",
                                        "hang-dns.so"))


# What makes a client wait until it gives up.
WAITS = ("stall", "mute", "trickle", "trickle-head", "silent")


def soon(mode):
    """Short deadlines for `porta update` from such a server, and none from one
    that answers: a busy machine may be slower than that. Modes of `porta
    serve` are called alike."""
    return ["--stall-timeout", "2"] if mode.split("@")[0] in WAITS else []


@contextlib.contextmanager
def deaf_port():
    """Connections to it are neither accepted nor refused: its queue is full,
    and Linux drops what does not fit."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def resolve(_cert, _key, _body):
    """The name's server never answers."""
    with tempfile.TemporaryDirectory() as folder:
        mark = os.path.join(folder, "asked")
        env = {"LD_PRELOAD": hang_dns(), "HANG_DNS_MARK": mark,
               # hang-dns comes before the sanitizer, which asks to be first
               "ASAN_OPTIONS": "verify_asan_link_order=0"}
        yield ("https://a-server.example/fw.bin", [], env,
               lambda: os.path.exists(mark))


def connecting(pid):
    """A socket of the process is in SYN_SENT, says the kernel."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        mine = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                mine.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        return any(f"socket:[{line.split()[9]}]" in mine
                   for line in table.readlines()[1:]
                   if line.split()[3] == "02")


@contextlib.contextmanager
def connect(_cert, _key, _body):
    with deaf_port() as port:
        yield f"https://127.0.0.1:{port}/fw.bin", [], {}, connecting


@contextlib.contextmanager
def proxy(_cert, _key, _body):
    """The proxy says nothing to CONNECT."""
    with BadServer("silent") as server:
        yield ("https://a-server.example/fw.bin",
               ["--proxy", f"http://127.0.0.1:{server.port}"], {},
               lambda: server.connections > 0)


def on_server(mode, *args, reached):
    @contextlib.contextmanager
    def state(cert, key, body):
        with BadServer(mode, cert, key, body) as server:
            yield (server.url("/fw.bin"), list(args), {},
                   lambda: reached(server))
    return state


def asked(server):
    return len(server.requests) > 0


@contextlib.contextmanager
def token(cert, key, body):
    """The server of tokens reads the question and says nothing."""
    with BadServer("mute", cert, key, body) as server:
        yield (f"https://localhost:{server.port}/fw.bin",
               ["--oauth2-token-url", server.url("/token"), "--client-id",
                "me", "--client-secret", "s3cret"], {},
               lambda: any(r.startswith("POST") for r in server.requests))


STATES = {
    "resolve": resolve,
    "connect": connect,
    "proxy": proxy,
    "tls": on_server("silent", reached=lambda s: s.connections > 0),
    "token": token,
    "head": on_server("mute", reached=asked),
    "slow head": on_server("trickle-head@10", reached=asked),
    "body": on_server("stall@100000", reached=asked),
    "slow body": on_server("trickle@10", reached=asked),
    "waiting to try again": on_server("busy@60", "--retry", "3",
                                      reached=asked),
}


def until(reached, client):
    """Waits for it; then a moment more, for the client to be in its wait."""
    end = time.monotonic() + 20
    needs_pid = reached is connecting
    while not (reached(client.pid) if needs_pid else reached()):
        if client.poll() is not None:
            raise RuntimeError("the session ended by itself")
        if time.monotonic() > end:
            raise RuntimeError("the session never got there")
        time.sleep(0.01)
    time.sleep(0.1)
