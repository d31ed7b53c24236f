"""Rows about whole updates: wall time beside curl, wget and the floor, by TLS
version, cipher and size; and where in an update the time goes."""

import json
import os
import re
import shutil

from lab import MB, Skip, paired, same_bytes, spread

PROTOCOLS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
CIPHERS = {
    ("1.2", "AES-GCM"): "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;",
    ("1.2", "ChaCha20"): "ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;",
    ("1.3", "AES-GCM"):
        "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;",
    ("1.3", "ChaCha20"):
        "ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;",
}
OTHERS = {
    "curl": lambda lab, url: ["curl", "-sS", "--cacert", lab.ca, "-o",
                              lab.path("curl.bin"), url],
    "wget": lambda lab, url: ["wget", "-q", "--ca-certificate", lab.ca, "-O",
                              lab.path("wget.bin"), url],
}


def serve(lab, tls, cipher):
    import nginx

    if not nginx.find():
        raise Skip("nginx is not installed")
    return nginx.Nginx(lab.path("www"), lab.cert, lab.key,
                       protocols=PROTOCOLS[tls],
                       extra=CIPHERS[tls, cipher])


def update_command(lab, server, size, *extra):
    return [lab.porta, "update", lab.path("flash.bin"),
            server.url(f"{size}.bin"), "--cacert", lab.ca, "--json", *extra]


def floor_command(lab, server, size):
    return [lab.floor, "localhost", str(server.port), f"/{size}.bin", lab.ca,
            lab.path("floor.bin"), str(lab.image_len(size))]


def prepare(lab, who, size):
    """Every run writes to a file that is already there."""
    if who == "porta":
        lab.fresh_flash()
        return
    with open(lab.path(f"{who}.bin"), "wb") as f:
        f.write(b"\xff" * lab.image_len(size))


def check(lab, size):
    lab.run(lab.porta, "flash", "read", lab.path("flash.bin"), "ota_1",
            lab.path("slot.bin"))
    if not same_bytes(lab.image(size), lab.path("slot.bin")):
        raise SystemExit("bench: the slot does not hold the image")


def wall(lab, tls, cipher, sizes):
    """Adds a row for each size to report["updates"]."""
    with serve(lab, tls, cipher) as server:
        for size in sizes:
            commands = {"porta": update_command(lab, server, size),
                        "floor": floor_command(lab, server, size)}
            for who, command in OTHERS.items():
                if shutil.which(who):
                    commands[who] = command(lab, server.url(f"{size}.bin"))
                else:
                    lab.skip(who, "not installed")
            took = lab.interleaved(
                commands, lambda who, s=size: prepare(lab, who, s))
            check(lab, size)
            lab.report.setdefault("updates", []).append({
                "bytes": lab.image_len(size), "tls": tls, "cipher": cipher,
                "wall_s": {who: spread(t) for who, (t, _) in took.items()},
                "porta_over": {who: paired(took["porta"][0], t)
                               for who, (t, _) in took.items()
                               if who != "porta"},
                "floor": json.loads(took["floor"][1]),
                "porta": json.loads(took["porta"][1])})


def trace_of(path):
    with open(path) as f:
        return [e for e in json.load(f)["traceEvents"] if e["ph"] == "X"]


def took_s(events, *names):
    return sum(e["dur"] for e in events if e["name"] in names) / 1e6


def curl_phases(lab, server, size):
    form = "%{time_namelookup} %{time_appconnect} %{time_total}"
    said = lab.run("curl", "-sS", "--cacert", lab.ca, "-o",
                   lab.path("curl.bin"), "-w", form,
                   server.url(f"{size}.bin"))
    name, connected, total = map(float, said.split())
    return connected - name, total - connected


def porta_phases(lab, server, size):
    """Connect and handshake; from there to the last byte; from there on."""
    lab.fresh_flash()
    lab.run(*update_command(lab, server, size, "--trace",
                            lab.path("trace.json")))
    events = trace_of(lab.path("trace.json"))
    shaken = max(e["ts"] + e["dur"] for e in events
                 if e["name"] == "handshake")
    last = max(e["ts"] + e["dur"] for e in events if e["name"] == "receive")
    end = max(e["ts"] + e["dur"] for e in events)
    return took_s(events, "connect", "handshake"), (last - shaken) / 1e6, \
        (end - last) / 1e6


def phases(lab, tls, cipher, size):
    """Connect, download and finish apart, run beside run."""
    mine, floor, curl = [], [], []
    with serve(lab, tls, cipher) as server:
        for run in range(2 * lab.runs + 1):
            prepare(lab, "floor", size)
            a = porta_phases(lab, server, size)
            said = json.loads(lab.run(*floor_command(lab, server, size)))
            b = (said["connect_s"] + said["handshake_s"], said["download_s"])
            c = curl_phases(lab, server, size) if shutil.which("curl") else b
            if run:
                mine.append(a)
                floor.append(b)
                curl.append(c)
    lab.report["phases"] = {
        "bytes": lab.image_len(size), "tls": tls,
        "porta_s": {name: spread([m[i] for m in mine]) for i, name in
                    enumerate(("connect", "download", "finish"))},
        "floor_s": {name: spread([m[i] for m in floor]) for i, name in
                    enumerate(("connect", "download"))},
        "curl_s": {name: spread([m[i] for m in curl]) for i, name in
                   enumerate(("connect", "download"))},
        "connect_over_floor": paired([m[0] for m in mine],
                                     [m[0] for m in floor])}


def overlap(lab):
    """A slow flash and two slow links: the time line, and what it took against
    the slower of the two."""
    size = lab.overlap_size
    rows = []
    erase_us, page_us = 45000, 700
    for rate in (1000000, 200000):
        with serve(lab, "1.3", "AES-GCM") as server:
            lab.fresh_flash()
            lab.run(*update_command(
                lab, server, size, "--trace", lab.path("trace.json"),
                "--link-rate", str(rate), "--erase-us", str(erase_us),
                "--page-us", str(page_us)))
        check(lab, size)
        events = trace_of(lab.path("trace.json"))
        spans = [e for e in events if e["name"] in
                 ("erase", "program", "receive")]
        flash_s = took_s(spans, "erase", "program")
        network_s = lab.image_len(size) / rate
        start = min(e["ts"] for e in events if e["name"] == "receive")
        end = max(e["ts"] + e["dur"] for e in events)
        took = (end - start) / 1e6
        rows.append({"bytes": lab.image_len(size), "rate": rate,
                     "flash_s": flash_s, "network_s": network_s,
                     "took_s": took,
                     "over_slower": took / max(flash_s, network_s),
                     "over_sum": took / (flash_s + network_s),
                     "spans": [[e["name"], (e["ts"] - start) / 1e6,
                                e["dur"] / 1e6] for e in spans]})
    lab.report["overlap"] = rows


def table(report):
    lines = []
    if "updates" in report:
        lines += ["| update from nginx | porta | floor | `curl -o` | `wget` | "
                  "porta / floor |", "|---|---|---|---|---|---|"]
    for row in report.get("updates", []):
        cells = [f"{row['wall_s'][who]['median'] * 1000:.0f} ms"
                 if who in row["wall_s"] else "-"
                 for who in ("porta", "floor", "curl", "wget")]
        ratio = row["porta_over"]["floor"]
        lines.append(f"| {row['bytes'] / MB:.0f} MB, TLS {row['tls']}, "
                     f"{row['cipher']} | " + " | ".join(cells) +
                     f" | {ratio['median']:.2f} ({ratio['min']:.2f} to "
                     f"{ratio['max']:.2f}) |")
    if "phases" in report:
        lines += phase_table(report["phases"])
    if "overlap" in report:
        lines += ["", "| 45 ms for a sector, 0.7 ms for a page | flash alone | "
                  "network alone | together | over the slower |",
                  "|---|---|---|---|---|"]
    for row in report.get("overlap", []):
        lines.append(f"| {row['bytes'] / MB:.2f} MB at {row['rate'] // 1000} "
                     f"KB/s | {row['flash_s']:.2f} s | "
                     f"{row['network_s']:.2f} s | {row['took_s']:.2f} s | "
                     f"{row['over_slower']:.2f} |")
    return lines


def phase_table(row):
    lines = ["", f"| {row['bytes'] / MB:.0f} MB, TLS {row['tls']} | connect | "
             "download | finish |", "|---|---|---|---|"]
    for who in ("porta", "floor", "curl"):
        times = row[f"{who}_s"]
        lines.append(f"| {who} | " + " | ".join(
            f"{times[p]['median'] * 1000:.1f} ms" if p in times else "-"
            for p in ("connect", "download", "finish")) + " |")
    ratio = row["connect_over_floor"]
    best = (row["porta_s"]["connect"]["min"] /
            row["floor_s"]["connect"]["min"])
    return lines + ["", f"Connecting takes {ratio['median']:.2f} of the floor's "
                    f"time ({ratio['min']:.2f} to {ratio['max']:.2f}); the "
                    f"fastest run {best:.2f} of the floor's fastest."]
