"""What an update costs on this host, as counts: the "host: ..." rows of
test/budgets.csv. Where a tool is missing its rows are missing."""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["PORTA_SOURCE"])
BUILD = pathlib.Path(os.environ["PORTA_BIN"]).parent
sys.path[:0] = [str(SOURCE / "bench"), str(SOURCE / "test/e2e")]

import counts  # noqa: E402
from lab import Lab, Skip  # noqa: E402
from update import serve, trace_of, update_command  # noqa: E402

SIZES = (200000, 600000)


def limits():
    lines = [line for line in (SOURCE / "test/budgets.csv").open()
             if not line.startswith("#")]
    return {row["name"]: row for row in csv.DictReader(lines)}


def open_lab(work, porta=None):
    lab = Lab(str(BUILD), str(work), 1, True)
    lab.make_inputs(SIZES)
    if porta:
        lab.porta = str(porta)
    return lab


def instructions(lab):
    counts.instructions(lab, SIZES)
    ratio = lab.report["instructions"]["porta_over_floor"]
    return {"instructions for a byte / floor": ratio["per_byte"],
            "instructions to connect / floor": ratio["connect"]}


def one_update(lab, server, size):
    """The result, the calls of its sockets, the operations on its flash."""
    counter = BUILD / "test-bin/libcount_calls.so"
    lab.fresh_flash()
    said = lab.run(*update_command(lab, server, size, "--trace",
                                   lab.path("trace.json")),
                   env={"LD_PRELOAD": str(counter),
                        "COUNT_CALLS_TO": lab.path("calls.json")})
    with open(lab.path("calls.json")) as f:
        calls = json.load(f)
    flash = {name: sum(e["args"]["times"] for e in
                       trace_of(lab.path("trace.json")) if e["name"] == name)
             for name in ("erase", "program")}
    return json.loads(said), calls, flash


def operations(lab):
    with serve(lab, "1.3", "AES-GCM") as server:
        small, few, _ = one_update(lab, server, SIZES[0])
        told, calls, flash = one_update(lab, server, SIZES[1])
    sectors = -(-lab.image_len(SIZES[1]) // counts.SECTOR)
    mb = (lab.image_len(SIZES[1]) - lab.image_len(SIZES[0])) / 1e6
    return {
        "erases beyond the least": flash["erase"] - sectors - 1,
        "programs beyond the least": flash["program"] - sectors - 1,
        "heap at the peak": told["heap_peak"],
        "heap at the last byte": told["heap_steady"],
        "heap that is left": told["heap_left"],
        "allocations": told["heap_allocs"],
        "allocations for 1 MB":
            (told["heap_allocs"] - small["heap_allocs"]) / mb,
        "receives for 1 MB": (calls["recvs"] - few["recvs"]) / mb,
        "sends": calls["sends"],
        "sockets that wait to fill packets": calls["not_prompt"]}


def stack(lab):
    with serve(lab, "1.3", "AES-GCM") as server:
        lab.fresh_flash()
        return {"stack": counts.stack(lab, server, SIZES[0])}


def text(lab):
    said = subprocess.run(["size", "-t", str(BUILD / "libporta.a")],
                          text=True, capture_output=True)
    total = re.search(r"^\s*(\d+).*\(TOTALS\)", said.stdout, re.M)
    if not total:
        raise Skip("libporta.a is not built, or there is no `size`")
    return {"text of libporta.a": int(total[1])}


def all_rows(lab, parts=(operations, text, stack, instructions)):
    """{name: value} and [why not]."""
    found, missing = {}, []
    for part in parts:
        try:
            found.update({f"host: {name}": value
                          for name, value in part(lab).items()})
        except Skip as why:
            missing.append(f"{part.__name__}: {why}")
    return found, missing


def above(found):
    """What is over its limit, as lines."""
    rows = limits()
    return [f"{name}: {value:.3f}, at most {rows[name]['at_most']} "
            f"({rows[name]['why']})" for name, value in found.items()
            if value > float(rows[name]["at_most"])]


def table(found):
    rows = limits()
    text = f"{'budget (Linux)':42} {'measured':>10} {'aim':>8} {'at most':>8}\n"
    for name, value in found.items():
        row = rows[name]
        number = f"{value:.3f}" if "/" in name else f"{value:.0f}"
        text += f"{name[6:]:42} {number:>10} {row['limit']:>8} " \
                f"{row['at_most']:>8}\n"
    return text
