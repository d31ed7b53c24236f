"""What every end-to-end test starts from: the built command, real
certificates, a device's flash file."""

import json
import os
import subprocess

import pytest

import certs

BIN = os.environ.get("PORTA_BIN", os.path.join(
    os.path.dirname(__file__), "..", "..", "build", "bin"))
SANITIZED = os.environ.get("PORTA_SANITIZE") == "1"


class Ended:
    """How a command ended."""

    def __init__(self, done):
        self.code, self.out, self.err = (done.returncode, done.stdout,
                                         done.stderr)

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out}\nerr: {self.err}"


class Porta:
    """porta("flash", "show", path) runs the command and waits for it."""

    path = os.path.join(BIN, "porta")

    def __call__(self, *args, timeout=300, env=None):
        done = subprocess.run([self.path, *map(str, args)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, errors="replace",
                              env={**os.environ, **(env or {})})
        return Ended(done)

    def ok(self, *args, **more):
        ended = self(*args, **more)
        assert ended.code == 0, ended
        return ended

    def start(self, *args, env=None, **more):
        return subprocess.Popen([self.path, *map(str, args)], text=True,
                                stdin=subprocess.DEVNULL,
                                env={**os.environ, **(env or {})}, **more)


@pytest.fixture(scope="session")
def porta():
    return Porta()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """A CA and the server certificates that tests ask for."""
    return certs.Pki(tmp_path_factory.mktemp("pki"))


def real_firmware(name):
    folder = os.environ.get("PORTA_TEST_DATA")
    if not folder:
        pytest.skip("PORTA_TEST_DATA is not set: no real firmware here")
    return os.path.join(folder, "firmware", name)


@pytest.fixture
def image(porta, tmp_path):
    """image(version="2", chip="esp32", size=20000) -> path of a new image"""
    made = []

    def make(version="2", chip="esp32", size=20000, project="demo", extra=()):
        body = tmp_path / f"body{len(made)}"
        body.write_bytes(os.urandom(size // 4 * 4))
        out = tmp_path / f"image{len(made)}.bin"
        made.append(out)
        porta.ok("image", "create", "--chip", chip, "--project", project,
                 "--version", version, "--segment", f"0x20000000:{body}",
                 *extra, "-o", out)
        return out

    return make


@pytest.fixture
def flash(porta, image, tmp_path):
    """flash() -> an esp32 flash file that runs version 1 from ota_0"""
    made = []

    def make(table="two_ota_large", app=None, chip="esp32", size="4MB",
             slot="ota_0"):
        path = tmp_path / f"flash{len(made)}.bin"
        made.append(path)
        app = app or image(version="1", chip=chip)
        porta.ok("flash", "create", "-o", path, "--chip", chip, "--size",
                 size, "--table", table, "--app", f"{slot}={app}")
        boots = porta.ok("reset", path, "--json").json
        assert boots["boot"] == slot, boots
        return path

    return make


def boot_of(porta, flash_path):
    """What boots next, as `porta explain` says, and the otadata bytes."""
    with open(flash_path, "rb") as f:
        f.seek(0x8000)
        table = f.read(0xc00)
    otadata = None
    for row in range(0, len(table), 32):
        entry = table[row:row + 32]
        if entry[:2] == b"\xaa\x50" and entry[2:4] == b"\x01\x00":
            otadata = int.from_bytes(entry[4:8], "little")
    said = porta("explain", flash_path, "--json").json
    records = b""
    if otadata is not None:
        with open(flash_path, "rb") as f:
            f.seek(otadata)
            records = f.read(0x2000)
    return said["boot"], records
