"""The example applications on the board: what their comments claim."""

import os
import shutil
import subprocess

import pytest

from conftest import BIN

IMAGES = os.path.join(BIN, "..", "apps")
pytestmark = pytest.mark.skipif(
    not os.path.exists(os.path.join(IMAGES, "advanced-2.bin")),
    reason="the example applications are not built")

TABLE = """nvs, data, nvs, , 0x4000
otadata, data, ota, , 0x2000
phy_init, data, phy, , 0x1000
settings, data, undefined, , 0x1000
ota_0, app, ota_0, , {0}
ota_1, app, ota_1, , {0}
"""


def app(name):
    return os.path.join(IMAGES, name)


@pytest.fixture
def world(porta, tmp_path):
    """A server, and device(image) that makes a device which knows it."""
    (tmp_path / "www").mkdir()
    server = porta.start("serve", tmp_path / "www", "--port", "0",
                         "--cert-dir", tmp_path / "certs", "--quiet",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    url = server.stdout.readline().strip()
    size = 0x100000
    while size < os.path.getsize(app("advanced-2.bin")):
        size *= 2
    (tmp_path / "t.csv").write_text(TABLE.format(hex(size)))

    def device(image, settings=True):
        path = tmp_path / "device.bin"
        porta.ok("flash", "create", "-o", path, "--table", tmp_path / "t.csv",
                 "--size", hex(4 * size), "--app", f"ota_0={app(image)}")
        if settings:
            text = f"{url}app.bin\n{(tmp_path / 'certs/ca.pem').read_text()}"
            (tmp_path / "s.txt").write_text(text)
            porta.ok("flash", "write", path, "settings", tmp_path / "s.txt")
        return path

    device.offer = lambda image: shutil.copy(app(image),
                                             tmp_path / "www/app.bin")
    yield device
    server.terminate()
    server.communicate()


def watch(porta, path, text, *options):
    """Runs the board until the device says `text`; returns all it said."""
    board = porta.start("device", path, "--max-time", "120", *options,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = ""
    try:
        for line in board.stdout:
            said += line
            if text in line:
                break
    finally:
        board.terminate()
        board.communicate()
    assert text in said, said
    return said


def test_advanced_updates_with_progress_and_confirms(porta, world):
    path = world("advanced-1.bin")
    world.offer("advanced-2.bin")
    said = watch(porta, path, "this version runs already")
    assert "version 1 runs from ota_0" in said
    assert "running version: 1, offered: 2" in said
    assert "50 % of" in said
    assert "upgrade successful" in said
    assert "version 2 runs from ota_1" in said
    assert "is confirmed" in said
    boots = porta.ok("explain", path, "--json").json
    assert boots["boot"] == "ota_1" and boots["writes"] == []


def test_advanced_goes_back_when_its_diagnosis_fails(porta, world):
    path = world("advanced-1.bin")
    world.offer("advanced-2.bin")
    said = watch(porta, path, "was rolled back before", "--input", "4=0")
    assert "version 2 runs from ota_1" in said
    assert "the diagnosis failed" in said
    assert said.count("version 1 runs from ota_0") == 2
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"


def test_advanced_does_not_take_a_version_that_was_rolled_back(porta, world):
    path = world("advanced-2.bin")
    world.offer("advanced-1.bin")
    watch(porta, path, "version 1 runs from ota_1")
    porta("confirm", path)
    porta.ok("rollback", path)
    said = watch(porta, path, "was rolled back before")
    assert "version 2 runs from ota_0" in said
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"


def test_advanced_says_what_is_missing(porta, world):
    said = watch(porta, world("advanced-1.bin", settings=False),
                 "porta flash write")
    assert "settings" in said


def test_simple_goes_on_without_a_server(porta, world):
    path = world("simple-1.bin")
    said = watch(porta, path, "version 1 keeps running")
    assert "404" in said and "refused: " in said
