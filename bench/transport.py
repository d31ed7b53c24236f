"""Rows of bench/run about the wire: connections, bytes, heap, and how long a
session takes to stop when it is told to."""

import json
import os
import signal
import subprocess
import time

import nginx
import waiting
from lab import Skip
from relay import Relay

RANGE = "64K"


def update(bench, url, *extra, program="porta"):
    bench.fresh_flash()
    done = subprocess.run(
        [os.path.join(bench.bin, program), "update", bench.path("flash.bin"),
         url, "--cacert", bench.pki.ca, "--json", *extra],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"{url} {extra}: {done.stderr.strip()[-200:]}")
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


# Room for records, the program that has it, the version that it speaks.
PROFILES = [("16 KiB", "porta", "1.2"), ("16 KiB", "porta", "1.3"),
            ("4 KiB", "porta-small", "1.2")]


def heap(bench, server, size):
    """Peak of heap by TLS version and room for records, and the longest
    record that the server sent."""
    rows = []
    for room, program, version in PROFILES:
        if not os.path.exists(os.path.join(bench.bin, program)):
            bench.skip(program, "not built")
            continue
        with Relay(server.port) as relay:
            told = update(bench, relay.url(f"{size}.bin"), "--tls-max",
                          version, program=program)
            longest = max(relay.records())
        rows.append({"room": room, "tls": version,
                     "heap_peak": told["heap_peak"],
                     "longest_record": longest})
    return rows


def stop_once(bench, url, args, env, reached):
    client = subprocess.Popen(
        [bench.porta, "update", bench.path("flash.bin"), url, "--cacert",
         bench.pki.ca, *args], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **env})
    waiting.until(reached, client)
    start = time.monotonic()
    client.send_signal(signal.SIGINT)
    client.wait()
    return 1000 * (time.monotonic() - start)


def stop(bench, body, runs):
    """Milliseconds from the signal to the end of the process, at the worst."""
    os.environ["PORTA_BIN"] = bench.bin
    worst = {}
    for name, state in waiting.STATES.items():
        if name == "resolve" and not os.path.exists(waiting.hang_dns()):
            bench.skip("stop in resolve", "tests are not built")
            continue
        times = []
        for _ in range(runs):
            bench.fresh_flash()
            with state(bench.cert, bench.key, body) as told:
                times.append(stop_once(bench, *told))
        worst[name] = max(times)
    return worst


def measure(lab, size):
    """All of these, from an nginx that speaks both versions."""
    if not nginx.find():
        raise Skip("nginx is not installed")
    with nginx.Nginx(lab.path("www"), lab.cert, lab.key) as both:
        lab.report["wire"] = wire(lab, both, size)
        lab.report["record_heap"] = heap(lab, both, size)
    with open(lab.image(size), "rb") as f:
        lab.report["stop_ms"] = stop(lab, f.read(), min(lab.runs, 3))


def table(report):
    if "wire" not in report:
        return []
    lines = ["", "| 4 MB over TLS 1.3 | connections | handshakes | requests | "
             "bytes on the wire beyond the image |", "|---|---|---|---|---|"]
    for row in report["wire"]:
        share = 100 * row["wire_beyond_image"] / row["image_len"]
        lines.append("| {how} | {connections} | {handshakes} | {requests} | "
                     "{wire_beyond_image} ({share:.2f} %) |".format(
                         share=share, **row))
    lines[1] = lines[1].replace("4 MB", "{:.1f} MB".format(
        report["wire"][0]["image_len"] / 1e6))
    lines += ["", "| TLS | room for a record | heap peak | longest record of "
              "the server |", "|---|---|---|---|"]
    lines += ["| {tls} | {room} | {heap_peak} bytes | {longest_record} bytes |"
              .format(**row) for row in report["record_heap"]]
    if "stop_ms" not in report:
        return lines
    lines += ["", "From the wish to stop to the end of the process, at the worst: "
              + ", ".join(f"{state} {ms:.0f} ms"
                          for state, ms in report["stop_ms"].items()) + "."]
    return lines
