"""Rows that are counts, and so the same on a busy machine: instructions,
system calls, memory, flash operations."""

import json
import os
import re

from lab import MB, Skip
from update import floor_command, prepare, serve, update_command

SECTOR = 4096


def count_both(lab, server, sizes, count):
    """{who: (a byte's share, what is there without any)} by two sizes."""
    out = {}
    for who in ("porta", "floor"):
        found = []
        for size in sizes:
            prepare(lab, who, size)
            command = update_command if who == "porta" else floor_command
            found.append(count(command(lab, server, size)))
        small, large = (lab.image_len(size) for size in sizes)
        slope = (found[1] - found[0]) / (large - small)
        out[who] = (slope, found[0] - slope * small)
    return out


def instructions(lab, sizes):
    lab.need("valgrind")
    with serve(lab, "1.3", "AES-GCM") as server:
        got = count_both(lab, server, sizes, lab.callgrind)
        connect = {}
        for who, function in (("porta", "http_conn_open"),
                              ("floor", "floor_connect")):
            command = update_command if who == "porta" else floor_command
            prepare(lab, who, sizes[0])
            connect[who] = lab.callgrind(command(lab, server, sizes[0]),
                                         function)
    lab.report["instructions"] = {
        "hash": "portable: valgrind knows no instructions for SHA-256",
        "per_byte": {who: got[who][0] for who in got},
        "fixed": {who: got[who][1] for who in got},
        "connect": connect,
        "porta_over_floor": {
            "per_byte": got["porta"][0] / got["floor"][0],
            "fixed": got["porta"][1] / got["floor"][1],
            "connect": connect["porta"] / connect["floor"]}}


def syscalls(lab, sizes):
    lab.need("strace")

    def count(command):
        out = lab.path("strace.out")
        lab.run("strace", "-f", "-c", "-o", out, *command)
        with open(out) as f:
            total = re.search(r"^\s*100\.00.*?(\d+)(?:\s+\d+)?\s+total\s*$",
                              f.read(), re.M)
        if not total:
            raise Skip("strace did not count (is tracing allowed here?)")
        return int(total[1])

    with serve(lab, "1.3", "AES-GCM") as server:
        got = count_both(lab, server, sizes, count)
    lab.report["syscalls"] = {
        "per_mb": {who: got[who][0] * MB for who in got},
        "fixed": {who: got[who][1] for who in got}}


def stack(lab, server, size):
    """Most bytes of stack at one time, those of start-up code included."""
    lab.need("valgrind")
    out = lab.path("massif.out")
    lab.run("valgrind", "-q", "--tool=massif", "--stacks=yes", "--heap=no",
            f"--massif-out-file={out}", "--detailed-freq=1000000",
            *update_command(lab, server, size))
    with open(out) as f:
        return max(int(n) for n in re.findall(r"^mem_stacks_B=(\d+)",
                                              f.read(), re.M))


def memory(lab, size):
    with serve(lab, "1.3", "AES-GCM") as server:
        lab.fresh_flash()
        told = json.loads(lab.run(*update_command(lab, server, size)))
        sectors = -(-lab.image_len(size) // SECTOR)
        lab.report["memory"] = {
            "heap_peak": told["heap_peak"],
            "heap_steady": told["heap_steady"],
            "heap_left": told["heap_left"],
            "allocations": told["heap_allocs"]}
        lab.report["flash_operations"] = {
            "bytes": lab.image_len(size), "erases": told["erases"],
            "programs": told["programs"], "least_erases": sectors,
            "least_programs": sectors + 1}
        lab.fresh_flash()
        try:
            lab.report["memory"]["stack"] = stack(lab, server, size)
        except Skip as why:
            lab.skip("stack", why)


def table(report):
    lines = []
    if "instructions" in report:
        row = report["instructions"]
        ratio = row["porta_over_floor"]
        lines += ["", "| instructions (portable hash) | porta | floor | porta "
                  "/ floor |", "|---|---|---|---|",
                  "| for a byte | {porta:.2f} | {floor:.2f} | {r:.3f} |".format(
                      r=ratio["per_byte"], **row["per_byte"])]
        for what, name in (("connect", "to connect, with the handshake"),
                           ("fixed", "all that is not a byte's")):
            lines.append(f"| {name} | {row[what]['porta'] / 1e6:.1f} M | "
                         f"{row[what]['floor'] / 1e6:.1f} M | "
                         f"{ratio[what]:.3f} |")
    if "syscalls" in report:
        row = report["syscalls"]
        lines += ["", "| system calls | porta | floor |", "|---|---|---|"]
        for what, name in (("per_mb", "for 1 MB"), ("fixed", "besides")):
            lines.append(f"| {name} | {row[what]['porta']:.0f} | "
                         f"{row[what]['floor']:.0f} |")
    if "memory" in report:
        row = report["memory"]
        told = f", stack {row['stack']} bytes" if "stack" in row else ""
        lines += ["", f"Heap: {row['heap_peak']} bytes at the peak, "
                  f"{row['heap_steady']} at the last byte, "
                  f"{row['heap_left']} at the end; {row['allocations']} "
                  f"allocations{told}."]
    if "flash_operations" in report:
        row = report["flash_operations"]
        lines += [f"Flash: {row['erases']} erases and {row['programs']} "
                  f"programs of the slot for {row['bytes']} bytes; less than "
                  f"{row['least_erases']} and {row['least_programs']} cannot "
                  "be."]
    return lines
