"""The guided tour tells the truth: it ends well, and badly when it should."""

import os
import shutil

import pytest

from conftest import BIN
from waiting import hang_dns

IMAGES = os.path.join(BIN, "..", "apps")
pytestmark = pytest.mark.skipif(
    not os.path.exists(os.path.join(IMAGES, "simple-1.bin")),
    reason="the example applications are not built")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for n in "123":
        shutil.copy(os.path.join(IMAGES, f"simple-{n}.bin"), folder)
    return folder


def lines(ended):
    """The steps' lines; the last one of the output is the sum."""
    return ended.out.strip().split("\n")[:-1]


def test_every_step_is_ok_and_nothing_is_left(porta, tmp_path):
    ended = porta.ok("demo", env={"TMPDIR": str(tmp_path)})
    said = lines(ended)
    assert len(said) == 11
    assert all(line.startswith("ok ") for line in said), ended
    assert sum('is refused: "' in line for line in said) == 3, ended
    assert os.listdir(tmp_path) == []
    assert ended.err == ""


def test_needs_no_name_service_for_this_machine(porta):
    """Nor /etc/hosts: a container made by hand has none."""
    porta.ok("demo", env={"LD_PRELOAD": hang_dns(), "HANG_DNS_NOBODY": "1",
                          "ASAN_OPTIONS": "verify_asan_link_order=0"})


def test_says_what_the_device_said_when_it_did_not_update(porta, images):
    (images / "simple-2.bin").write_bytes(b"no image" * 1000)
    ended = porta("demo", "--images", images, "--wait", "6")
    assert ended.code == 1 and "it said: E (" in ended.out, ended


def test_the_steps_as_json(porta, tmp_path):
    ended = porta.ok("demo", "--json", env={"TMPDIR": str(tmp_path)})
    said = ended.json
    assert said["result"] == "ok" and said["folder"] is None
    assert len(said["steps"]) == 11 and all(s["ok"] for s in said["steps"])
    assert sum(s["said"] != "" for s in said["steps"]) == 3, said
    assert ended.out.count("\n") == 1 and os.listdir(tmp_path) == []


def test_keep_leaves_a_device_that_boots(porta, tmp_path):
    porta.ok("demo", "--keep", env={"TMPDIR": str(tmp_path)})
    (kept,) = os.listdir(tmp_path)
    boots = porta.ok("explain", tmp_path / kept / "device.bin", "--json").json
    assert boots["boot"] == "ota_1"
    assert {r["state"] for r in boots["otadata"]} == {"ABORTED", "VALID"}


@pytest.mark.parametrize("claim,source,target,step", [
    ("a release that does not crash is not rolled back", 2, 3, "version 3"),
    ("an update that is the old version is not version 2", 1, 2, "ota_1"),
    ("an image that crashes never confirms itself", 3, 2, "ota_1"),
])
def test_a_step_that_went_wrong_is_not_ok(porta, images, tmp_path, claim,
                                          source, target, step):
    shutil.copy(images / f"simple-{source}.bin",
                images / f"simple-{target}.bin")
    ended = porta("demo", "--images", images, "--wait", "6",
                  env={"TMPDIR": str(tmp_path)})
    assert ended.code == 1, ended
    last = lines(ended)[-1]
    assert last.startswith("FAILED") and step in last, ended
    assert os.listdir(tmp_path) == ["images"]


def test_images_that_are_missing(porta, tmp_path):
    ended = porta("demo", "--images", tmp_path)
    assert ended.code == 1 and "simple-1.bin" in ended.err, ended
    ended = porta("demo", "--images", tmp_path, "--json")
    assert ended.code == 1 and ended.json["error"]["stage"] == "file", ended
