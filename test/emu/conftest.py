"""What every test on the emulated board starts from: a flash file, a server on
the host, and the runner."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import certs  # noqa: E402

BIN = pathlib.Path(os.environ["PORTA_BIN"])
PORTA = str(BIN / "porta")
APPS = BIN.parent / "boards" / "qemu-virt-rv32"
HOST, HOST6 = "10.0.2.2", "fec0::2"  # the host, as the board sees it
TABLE = """\
otadata,  data, ota,   0xd000,   0x2000
settings, data, 0x40,  0xf000,   0x1000
ota_0,    app,  ota_0, 0x10000,  1M
ota_1,    app,  ota_1, 0x110000, 1M
nvs,      data, nvs,   0x210000, 0x6000
"""


def porta(*args, check=True):
    done = subprocess.run([PORTA, *map(str, args)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done


def app(name):
    return APPS / f"{name}.bin"


class Boots:
    """What a run of the board did."""

    def __init__(self, code, report, console):
        self.code, self.report, self.console = code, report, console

    @property
    def reasons(self):
        return [boot["reason"] for boot in self.report["resets"]]

    @property
    def slots(self):
        return [boot["slot"] for boot in self.report["resets"]]

    def figure(self, name):
        return int(re.search(rf"\b{name}=(\d+)", self.console)[1])

    def __repr__(self):
        return f"exit {self.code}: {self.report}\n{self.console}"


def was_refused(boots):
    return (boots.slots == ["ota_0"] and "UPDATE" in boots.console
            and "UPDATE ESP_OK" not in boots.console)


def was_updated(boots):
    return (boots.slots == ["ota_0", "ota_1"]
            and "CONFIRMED ESP_OK" in boots.console)


class Board:
    def __init__(self, folder):
        self.folder, self.flash = folder, folder / "flash.bin"

    def make(self, *options, table=TABLE, **slots):
        """A flash with these images: make(ota_0="ota-1")."""
        self.flash.unlink(missing_ok=True)
        csv = self.folder / "table.csv"
        csv.write_text(table)
        apps = []
        for label, image in slots.items():
            apps += ["--app", f"{label}={image if os.sep in str(image) else app(image)}"]
        porta("flash", "create", "-o", self.flash, "--chip",
              "qemu_virt_rv32", "--size", "32MB", "--table", csv, *apps,
              *options)

    def settings(self, ca="", **keys):
        text = "".join(f"{k}={v}\n" for k, v in keys.items()) + "\n"
        if ca:
            text += pathlib.Path(ca).read_text()
        file = self.folder / "settings.txt"
        file.write_bytes(text.encode() + b"\xff")
        self.write_partition("settings", file)

    def write_partition(self, label, file):
        porta("flash", "write", self.flash, label, file)

    def command(self, *options, boots=3, seconds=120):
        return [PORTA, "device", "--board", "qemu-virt-rv32", str(self.flash),
                "--json", "--boots", str(boots), "--max-time", str(seconds),
                *map(str, options)]

    def run(self, *options, preexec_fn=None, **more):
        """Runs until the application is idle."""
        done = subprocess.run(self.command(*options, **more), text=True,
                              errors="replace", capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300,
                              preexec_fn=preexec_fn)
        assert done.stdout, done.stderr
        return Boots(done.returncode, json.loads(done.stdout), done.stderr)

    def start(self, *options, **more):
        return subprocess.Popen(self.command(*options, **more), text=True,
                                errors="replace", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def explain(self):
        return json.loads(porta("explain", self.flash, "--json").stdout)

    def slot_bytes(self, offset, length):
        with open(self.flash, "rb") as f:
            f.seek(offset)
            return f.read(length)


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return certs.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def own_cert(pki):
    """Of the host, under the address by which the board knows it."""
    return pki.server(hosts=(HOST, HOST6, "localhost"), days=3650)


class Serve:
    """`porta serve`, for the time of a test."""

    def __init__(self, folder, cert, *options):
        tls = ["--cert", cert[0], "--key", cert[1]] if cert else []
        self.process = subprocess.Popen(
            [PORTA, "serve", str(folder), "--port", "0", *tls,
             *map(str, options)], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)/", line)[1])

    def url(self, name="app.bin", host=HOST):
        return f"https://{host}:{self.port}/{name}"

    def stop(self):
        """What was asked of it."""
        self.process.terminate()
        return self.process.communicate(timeout=10)[1]


@pytest.fixture
def serve(tmp_path, own_cert):
    """serve("ota-2") -> a server whose app.bin is that image"""
    running = []

    def start(image, *options, cert=own_cert):
        folder = tmp_path / f"srv{len(running)}"
        folder.mkdir()
        source = pathlib.Path(image) if os.sep in str(image) else app(image)
        (folder / "app.bin").write_bytes(source.read_bytes())
        running.append(Serve(folder, cert, *options))
        return running[-1]

    yield start
    for server in running:
        if server.process.poll() is None:
            server.stop()
