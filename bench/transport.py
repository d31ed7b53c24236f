"""Rows of bench/run about the wire: connections, bytes, heap, and how long a
session takes to stop when it is told to."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

from relay import Relay

RANGE = "64K"
# How badserver.py keeps a session waiting in each state.
STATES = {"connect": None, "handshake": "silent", "head": "mute",
          "body": "stall@100000", "trickle": "trickle@10"}


@contextlib.contextmanager
def deaf_port():
    """A port whose queue is full: connections to it hang."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def update(bench, url, *extra):
    bench.fresh_flash()
    done = subprocess.run(
        [bench.porta, "update", bench.path("flash.bin"), url, "--cacert",
         bench.pki.ca, "--json", *extra], stdin=subprocess.DEVNULL,
        capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {url} {extra}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def wire(bench, server, size):
    """One answer, and ranges: what goes over the wire beyond the image."""
    rows = []
    for name, extra in (("one answer", []),
                        (f"ranges of {RANGE}", ["--range-size", RANGE])):
        with Relay(server.port) as relay:
            told = update(bench, relay.url(f"{size}.bin"), *extra)
            total = relay.total
        rows.append({"how": name, "image_len": told["image_len"],
                     "connections": told["connections"],
                     "handshakes": told["handshakes"],
                     "requests": told["requests"],
                     "wire_beyond_image": total - told["image_len"]})
    return rows


def heap(bench, url_of):
    """Peak of heap by TLS version; url_of(version) is a server that speaks
    it."""
    return {version: update(bench, url_of(version), "--tls-max",
                            version)["heap_peak"]
            for version in ("1.2", "1.3")}


def stop_once(bench, url):
    client = subprocess.Popen(
        [bench.porta, "update", bench.path("flash.bin"), url, "--cacert",
         bench.pki.ca], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    if client.poll() is not None:
        sys.exit(f"bench: {url}: the session ended by itself")
    start = time.monotonic()
    client.send_signal(signal.SIGINT)
    client.wait()
    return 1000 * (time.monotonic() - start)


def stop(bench, bad_server, body, runs):
    """Milliseconds from the signal to the end of the process, at the worst."""
    worst = {}
    for state, mode in STATES.items():
        bench.fresh_flash()
        with contextlib.ExitStack() as stack:
            if mode is None:
                port = stack.enter_context(deaf_port())
            else:
                port = stack.enter_context(
                    bad_server(mode, bench.cert, bench.key, body)).port
            url = f"https://localhost:{port}/fw.bin"
            worst[state] = max(stop_once(bench, url) for _ in range(runs))
    return worst


def table(report):
    lines = ["", "| 4 MB over TLS 1.3 | connections | handshakes | requests | "
             "bytes on the wire beyond the image |", "|---|---|---|---|---|"]
    for row in report["wire"]:
        share = 100 * row["wire_beyond_image"] / row["image_len"]
        lines.append("| {how} | {connections} | {handshakes} | {requests} | "
                     "{wire_beyond_image} ({share:.2f} %) |".format(
                         share=share, **row))
    lines[1] = lines[1].replace("4 MB", "{:.1f} MB".format(
        report["wire"][0]["image_len"] / 1e6))
    lines += ["", "Heap peak, 16 KiB records: " + ", ".join(
        f"TLS {version} {peak} bytes"
        for version, peak in report["heap_peak"].items()) + "."]
    lines += ["From the wish to stop to the end of the process, at the worst: "
              + ", ".join(f"{state} {ms:.0f} ms"
                          for state, ms in report["stop_ms"].items()) + "."]
    return lines
