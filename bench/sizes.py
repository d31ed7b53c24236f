"""Rows about size: bytes on rv32imac by part of the update path, and what the
last commit changed."""

import json
import os
import re
import subprocess
import sys

from lab import Skip

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def sizes_of(lab, root):
    """{part: bytes} of a tree, by its own scripts."""
    done = subprocess.run(
        [sys.executable, "-B", os.path.join(root, "tools/update_size.py"),
         "--json"], stdin=subprocess.DEVNULL, text=True, capture_output=True)
    if done.returncode == 77:
        raise Skip("riscv64-unknown-elf-gcc is not installed (`make board` "
                   "installs it)")
    if done.returncode:
        raise Skip(done.stderr.strip()[-200:])
    sizes = json.loads(done.stdout)
    said = lab.run("sh", os.path.join(root, "tools/boot_size.sh"))
    found = re.search(r"^mark: (\d+)", said, re.M)
    if found:
        sizes["bootloader"] = int(found[1])
    return sizes


def before(lab):
    """The last commit but one, unpacked."""
    tree = lab.path("before")
    os.mkdir(tree)
    try:
        made = subprocess.run(
            f"git -C '{ROOT}' archive HEAD~1 | tar -x -C '{tree}'",
            shell=True, stdin=subprocess.DEVNULL, capture_output=True)
        ok = made.returncode == 0 and os.listdir(tree)
    except OSError:
        ok = False
    if not ok:
        raise Skip("this is no git checkout with a commit before")
    deps = os.path.join(ROOT, ".deps")
    if os.path.exists(deps):
        os.symlink(os.path.realpath(deps), os.path.join(tree, ".deps"))
    return tree


def measure(lab):
    now = sizes_of(lab, ROOT)
    lab.report["rv32"] = {"bytes": now}
    if lab.quick:
        lab.skip("rv32: the last commit's change", "left out of a quick run")
        return
    try:
        was = sizes_of(lab, before(lab))
    except Skip as why:
        lab.skip("rv32: the last commit's change", why)
        return
    lab.report["rv32"]["change"] = {
        part: now[part] - was.get(part, 0) for part in now}


def table(report):
    if "rv32" not in report:
        return []
    row = report["rv32"]
    change = row.get("change", {})
    lines = ["", "| rv32imac, -Os | bytes | by the last commit |",
             "|---|---|---|"]
    for part, size in row["bytes"].items():
        told = f"{change[part]:+d}" if part in change else "-"
        lines.append(f"| {part} | {size} | {told} |")
    return lines
