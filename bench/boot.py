"""Rows about booting and verifying: time and instructions by the size of the
image, `porta image verify` beside sha256sum, and how many decisions and power
cuts a second can be gone through."""

import json
import os
import re
import shutil
import subprocess
import time

from lab import MB, Skip, paired, spread


def reset_command(lab):
    return [lab.porta, "reset", lab.path("boot.bin"), "--json", "--quiet"]


def boot(lab, sizes):
    """From the reset until an image is chosen and verified: the bootloader's
    own code, over a flash file with one image."""
    rows = []
    for size in sizes:
        lab.make_image("boot-app.bin", size)
        lab.fresh_flash("boot-app.bin", "boot.bin")
        lab.run(*reset_command(lab))  # the first one writes a record
        took = lab.interleaved({"boot": reset_command(lab)})["boot"][0]
        rows.append({"bytes": os.path.getsize(lab.path("boot-app.bin")),
                     "wall_s": spread(took)})
        if shutil.which("valgrind"):
            rows[-1]["instructions"] = lab.callgrind(reset_command(lab),
                                                     "boot_run")
        else:
            lab.skip("instructions of a boot", "valgrind is not installed")
    lab.report["boot"] = rows


def verify(lab, size):
    """An image is verified by its own hash: read, parsed, hashed once."""
    commands = {"porta": [lab.porta, "image", "verify", lab.image(size)],
                "sha256sum": [lab.need("sha256sum"), lab.image(size)]}
    took = lab.interleaved(commands)
    lab.report["verify"] = {
        "bytes": lab.image_len(size),
        "wall_s": {who: spread(t) for who, (t, _) in took.items()},
        "mb_per_s": {who: lab.image_len(size) / MB / spread(t)["median"]
                     for who, (t, _) in took.items()},
        "porta_over_sha256sum": paired(took["porta"][0],
                                       took["sha256sum"][0])}


def test_program(lab, name):
    path = os.path.join(lab.build, "test-bin", name)
    if not os.path.exists(path):
        raise Skip(f"{name} is not built")
    return path


def decisions(lab):
    """Boot decisions over all rows of the exhaustive test, and power cuts of
    whole updates, each with what follows it."""
    rows = {}
    for what, program, pattern in (
            ("boot decisions", "test_unit_boot_plan", r"(\d+) combinations"),
            ("power cuts of an update", "test_power_update", r"(\d+) cuts")):
        try:
            program = test_program(lab, program)
        except Skip as why:
            lab.skip(what, why)
            continue
        start = time.monotonic()
        said = subprocess.run([program], text=True, stdin=subprocess.DEVNULL,
                              capture_output=True)
        took = time.monotonic() - start
        found = re.findall(pattern, said.stdout + said.stderr)
        if said.returncode or not found:
            lab.skip(what, f"{os.path.basename(program)} does not count them")
            continue
        count = sum(int(n) for n in found)
        rows[what] = {"count": count, "seconds": took,
                      "per_second": count / took}
    lab.report["proofs"] = rows


def torture(lab):
    """`porta torture`: every flash operation of every path is cut."""
    lab.make_image("torture-new.bin", 40000, version="2")
    lab.make_image("torture-old.bin", 40000)
    with open(lab.path("small.csv"), "w") as f:
        f.write("otadata, data, ota,   0xd000,  0x2000\n"
                "ota_0,   app,  ota_0, 0x10000, 64K\n"
                "ota_1,   app,  ota_1, ,        64K\n")
    lab.run(lab.porta, "flash", "create", "-o", lab.path("torture.bin"),
            "--chip", "esp32", "--size", "2MB", "--table",
            lab.path("small.csv"), "--app",
            "ota_0=" + lab.path("torture-old.bin"))
    seconds, said = lab.timed(lab.porta, "torture", lab.path("torture.bin"),
                              "--image", lab.path("torture-new.bin"),
                              "--json", "--quiet")
    runs = json.loads(said)["runs"]
    lab.report.setdefault("proofs", {})["porta torture"] = {
        "count": runs, "seconds": seconds, "per_second": runs / seconds}


def table(report):
    lines = []
    if "boot" in report:
        lines += ["", "| a boot, by the size of the image | time of the "
                  "process | instructions of the bootloader |",
                  "|---|---|---|"]
    for row in report.get("boot", []):
        count = row.get("instructions")
        told = f"{count / 1e6:.2f} M" if count else "-"
        lines.append(f"| {row['bytes'] / 1000:.0f} KB | "
                     f"{row['wall_s']['median'] * 1000:.1f} ms | {told} |")
    if "verify" in report:
        row = report["verify"]
        ratio = row["porta_over_sha256sum"]
        lines += ["", f"`porta image verify`: {row['mb_per_s']['porta']:.0f} "
                  f"MB/s, `sha256sum` {row['mb_per_s']['sha256sum']:.0f} MB/s "
                  f"({row['bytes'] / MB:.0f} MB, whole processes; "
                  f"{ratio['median']:.2f} of its time)."]
    for what, row in report.get("proofs", {}).items():
        lines.append(f"{what[0].upper()}{what[1:]}: {row['count']} in "
                     f"{row['seconds']:.1f} s, "
                     f"{row['per_second']:.0f} a second.")
    return lines
