"""What the code costs on rv32imac, compared with budgets.csv; writes the
table that `make board` and `make bench` print."""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from closing import ClosingServer
from conftest import APPS, HOST, app, porta
from sserver import SServer

SOURCE = pathlib.Path(os.environ["PORTA_SOURCE"])
FOLDER = pathlib.Path(__file__).parent


def limits():
    lines = [line for line in (FOLDER.parent / "budgets.csv").open()
             if not line.startswith("#")]
    return [row for row in csv.DictReader(lines)
            if not row["name"].startswith("host: ")]


def bootloader_sizes():
    """By build, see there."""
    said = subprocess.run([SOURCE / "tools/boot_size.sh"], check=True,
                          capture_output=True, text=True).stdout
    rows = re.findall(r"^([a-z-]+): (\d+) bytes", said, re.M)
    return {name: int(size) for name, size in rows}


def bootloader_whole():
    return app("bootloader").stat().st_size


def update_sizes(level, *args):
    said = subprocess.run([sys.executable, SOURCE / "tools/update_size.py",
                           "--json", "--log-level", str(level), *args],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(said)


def symbol(elf, name):
    said = subprocess.run(["riscv64-unknown-elf-nm", elf], check=True,
                          capture_output=True, text=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", said, re.M)[1], 16)


def bootloader_stack(board, tmp_path):
    """RAM is zero at power-on: what is not was used. The image is signed, so
    that the verifier has run."""
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True,
                   capture_output=True)
    pub = tmp_path / "pub.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", pub],
                   check=True, capture_output=True)
    signed = tmp_path / "signed.bin"
    porta("image", "sign", "--scheme", "ecdsa256", "--key", key, app("ota-1"),
          "-o", signed)
    board.make("--require-signed", "ecdsa256", "--verify-key", pub,
               ota_0=signed)
    elf = APPS / "bootloader.elf"
    top = symbol(elf, "boot_stack_top")
    bottom = symbol(elf, "boot_trap_stack_top")
    process = board.start("--no-network", boots=0, seconds=30)
    log = board.folder / "flash.bin.run" / "console.log"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if log.exists() and "RUNS" in log.read_text(errors="replace"):
            break
        time.sleep(0.02)
    with open(board.folder / "flash.bin.run" / "ram.bin", "rb") as f:
        f.seek(bottom - 0x80000000)
        used = f.read(top - bottom).lstrip(b"\0")
    process.terminate()
    process.communicate(timeout=10)
    assert len(used) > 256
    return len(used)


OURS = re.compile(r"/src/(api|base|crypto|event|fuse|http|image|kv|otadata|"
                  r"part|slot|tls|update)/|/mbedtls-")


def static_ram(image):
    """Bytes of the update path and the TLS library that are there always: (the
    device's, all others). The device's are its partition table, its keys and
    the state of its trial, whether it updates or not."""
    said = subprocess.run(["riscv64-unknown-elf-nm", "-l", "-S", "-td",
                           APPS / f"{image}.elf"], check=True,
                          capture_output=True, text=True).stdout
    device = others = 0
    # The link-time optimiser renames some, and forgets where they are from:
    # those are ours, which alone are built for it.
    for size, name, where in re.findall(
            r"^\d+ (\d+) [bBdDsSgG] ([^\s.]+)\S*(?:\t(\S+))?$", said, re.M):
        if where and ("lwip" in where or not OURS.search(where)):
            continue
        if name == "device":
            device += int(size)
        else:
            others += int(size)
    assert device and others, said
    return device, others


def update(board, pki, image, url, **settings):
    """Figures of an update: (RAM, stack, longest flash operation). RAM is the
    heap's peak above what was taken when the update began, and the static
    buffers."""
    board.make(ota_0=image)
    board.settings(pki.ca, url=url, **settings)
    boots = board.run()
    assert "UPDATE ESP_OK" in boots.console, boots
    return (boots.figure("heap_peak") - boots.figure("heap_before") +
            static_ram(image)[1],
            boots.figure("stack"), boots.figure("flash_longest_us"))


def short_records(board, pki, folder):
    """OpenSSL keeps to the length that is asked for; GnuTLS does not."""
    (folder / "fw.bin").write_bytes(app("ota-2").read_bytes())
    cert, key = pki.server(hosts=(HOST,))
    with SServer(folder, "-cert", cert, "-key", key, "-tls1_2") as server:
        return update(board, pki, "ota-small", server.url(host=HOST))[0]


def with_a_chain(pki, folder, rsa=False):
    """A certificate below another one, which the server sends along; signed
    with SHA-384, whose stack is the deepest."""
    middle = pki.below()
    middle.digest = "-sha384"
    cert, key = middle.server(hosts=(HOST,), rsa=rsa)
    chain = folder / f"chain-{rsa}.pem"
    chain.write_text(pathlib.Path(cert).read_text()
                     + pathlib.Path(middle.ca).read_text())
    return chain, key


def handshakes(board, pki, folder):
    """RAM where the handshake is more than the least: the server has a chain
    of two certificates, redirects to another one, has a key of RSA, or the
    board connects again in the middle, with the buffer empty and nearly full.
    And the deepest stack of all these, and the longest flash operation of the
    one that the host disturbed least."""
    body, found = app("ota-2").read_bytes(), {}
    stacks, longest = [], []
    for name, image, rsa, path, chunk in (
            ("RAM 1.3, a chain", "ota-1", False, "fw.bin", 0),
            ("RAM 1.3, a redirect", "ota-1", False, "elsewhere", 0),
            ("RAM 1.3, RSA", "ota-1", True, "fw.bin", 0),
            ("RAM 1.3, again midway", "ota-1", False, "fw.bin", 1 << 17),
            ("RAM 1.3, again, full buffer", "ota-1", False, "fw.bin", 102399),
            ("RAM 1.2 4 KiB, a chain", "ota-small", False, "elsewhere", 0),
            ("RAM 1.2 4 KiB, RSA", "ota-small", True, "fw.bin", 0)):
        cert = with_a_chain(pki, folder, rsa)
        version = name[4:7]
        with ClosingServer(body, *cert, version=version) as other:
            with ClosingServer(body, *cert, elsewhere=other.url(HOST),
                               version=version) as server:
                found[name], stack, took = update(
                    board, pki, image, server.url(HOST, path), chunk=chunk)
                stacks.append(stack)
                longest.append(took)
    return found | {"stack with SHA-384": max(stacks),
                    "flash_longest us": min(longest)}


def measure(board, serve, pki, tmp_path):
    boot = bootloader_sizes()
    found = {"bootloader text+rodata": boot["mark"],
             "with trials and events": boot["all"],
             "... and fuses in flash": boot["fuses-in-flash"],
             "bootloader on the board": bootloader_whole()}
    quiet, loud = update_sizes(0), update_sizes(5, "--only-path")
    found["update path logs off"] = quiet.pop("update path")
    found["update path logs on"] = loud["update path"]
    found.update(quiet)
    found["bootloader stack"] = bootloader_stack(board, tmp_path)
    heap, stack, _ = update(board, pki, "ota-1", serve("ota-2").url())
    found["RAM TLS 1.3 16 KiB records"] = heap
    found["static RAM of a device"], found["of it static"] = \
        static_ram("ota-1")
    found["stack of the update"] = stack
    found["RAM TLS 1.2 4 KiB records"] = short_records(board, pki, tmp_path)
    found.update(handshakes(board, pki, tmp_path))
    return found


def table(rows, found):
    text = f"{'budget (rv32imac, -Os)':30} {'measured':>9} {'limit':>8}\n"
    for row in rows:
        name, size = row["name"], found[row["name"]]
        over = row["limit"] and size > int(row["limit"])
        why = f"  over: {row['why']}" if over else ""
        text += f"{name:30} {size:9} {row['limit']:>8}{why}\n"
    return text


def test_parts_in_docs():
    """The table of what the update path is made of names each part, adds up,
    and is what the tool says, but for a change or two since."""
    text = (SOURCE / "docs/board.md").read_text()
    rows = {name: (int(off.replace(",", "")), int(on.replace(",", "")))
            for name, off, on in re.findall(
                r"^\| ([\w ]+) \| ([\d,]+) \| ([\d,]+) \|", text, re.M)}
    now = json.loads(subprocess.run(
        [sys.executable, SOURCE / "tools/update_size.py", "--path", "--json"],
        check=True, capture_output=True, text=True).stdout)
    assert set(rows) == set(now[0])
    for i, sizes in enumerate(now):
        told = {name: figures[i] for name, figures in rows.items()}
        assert sum(told.values()) == 2 * told["all"]
        stale = {name: (told[name], size) for name, size in sizes.items()
                 if abs(told[name] - size) > max(80, size // 20)}
        assert not stale, "tools/update_size.py --path has the table"


def test_budgets(board, serve, pki, tmp_path):
    """No figure is above what budgets.csv allows, and none was forgotten."""
    rows = limits()
    found = measure(board, serve, pki, tmp_path)
    text = table(rows, found)
    (APPS / "budgets.txt").write_text(text)
    above = [row["name"] for row in rows
             if found[row["name"]] > int(row["at_most"])]
    assert not above, text
