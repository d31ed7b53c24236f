"""The product's brief: its snippets compile and run, its sdkconfig.defaults
and its partition table are a project's."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import conftest
from badserver import BadServer
from conftest import HERE, SANITIZED, Project, device, porta
from ports import HeldPort

sys.path.append(str(HERE.parent / "docs"))
import pages  # noqa: E402 (found by the line above)

PAGE = pages.Page("docs/porting-from-esp-idf.md")
SNIPPETS = HERE / "brief/main/snippets"


@pytest.fixture(scope="module")
def built(tmp_path_factory, pki):
    """built(more options) -> the project, built with the brief's own
    sdkconfig.defaults and these."""
    made = {}
    held = HeldPort()  # for the servers: the address is built in

    def build(more):
        if more in made:
            return made[more]
        folder = tmp_path_factory.mktemp("brief")
        project = Project(folder, HERE / "brief")
        with open(pki.ca, encoding="ascii") as file:
            project.write("server_certs/ca_cert.pem", file.read())
        extra = folder / "more"
        extra.write_text(more + "".join(
            f'CONFIG_{name}="https://localhost:{held.number}/app.bin"\n'
            for name in ("FIRMWARE_UPGRADE_URL",
                         "EXAMPLE_FIRMWARE_UPGRADE_URL")))
        project.said = project.build(*conftest.roomy(
            folder, project, [str(project.dir / "sdkconfig.defaults"),
                              str(extra)]))
        project.port = held.number
        made[more] = project
        return project

    with held:
        yield build


def next_version(project, folder, version="2", secure=0):
    program = json.loads((project.out / "project.json").read_text())["program"]
    subprocess.run(["strip", "-o", folder / "s", program], check=True)
    porta("image", "create", "--chip", "linux", "--project", "brief",
          "--version", version, "--secure-version", str(secure), "--elf",
          folder / "s", "-o", folder / "next.bin")
    return (folder / "next.bin").read_bytes()


@pytest.mark.parametrize("more", ["", "CONFIG_BRIEF_ONE_SHOT=y\n"],
                         ids=["skeleton", "one-shot"])
def test_snippet_updates_a_device(built, pki, tmp_path, more):
    project = built(more)
    flash = tmp_path / "device.bin"
    shutil.copy(project.flash, flash)
    cert, key = pki.server()
    with BadServer("ok", cert, key, next_version(project, tmp_path),
                   project.port) as server:
        ended = device(flash, "--boots", "3")
        header = any("X-Brief: 1" in r for r in server.requests)
    assert "brief: version 2 starts" in ended.out, ended
    assert "brief: confirmed" in ended.out, ended
    assert header == (more == ""), "the skeleton's call-back sets a header"


@pytest.mark.parametrize("mode", ["truncate@100000", "status@403"])
def test_skeleton_fails_in_words(built, pki, tmp_path, mode):
    project = built("")
    flash = tmp_path / "device.bin"
    shutil.copy(project.flash, flash)
    cert, key = pki.server()
    with BadServer(mode, cert, key, next_version(project, tmp_path),
                   project.port):
        ended = device(flash, "--boots", "3")
    assert "Begin failed" in ended.out or \
        "Complete data was not received." in ended.out, ended
    assert "version 2" not in ended.out


# claim, version, secure version, does it become what runs
RELEASES = [
    ("a higher secure version", "2", 3, True),
    ("a lower one", "3", 2, False),
    ("none at all", "4", 0, False),
    ("the same one", "5", 3, True),
    ("more than a step", "6", 32, True),
    ("what was good before", "7", 31, False),
]


def test_secure_versions(built, pki, tmp_path):
    """The brief's own options on one device: it takes what is as new as its
    fuses, raises them when that has confirmed itself, and refuses the rest."""
    project = built("")
    flash, runs, fuses = tmp_path / "device.bin", "1", 0
    shutil.copy(project.flash, flash)
    cert, key = pki.server()
    for claim, version, secure, taken in RELEASES:
        body = next_version(project, tmp_path, version, secure)
        with BadServer("ok", cert, key, body, project.port):
            ended = device(flash, "--boots", "3")
        started = f"brief: version {version} starts" in ended.out
        assert started == taken, (claim, ended)
        assert f"brief: version {runs} starts" in ended.out, (claim, ended)
        if taken:
            runs, fuses = version, secure
        else:
            assert "it would be a downgrade" in ended.out, (claim, ended)
        shown = json.loads(porta("flash", "show", flash, "--json").out)
        assert shown["secure_version"] == fuses, (claim, shown)
    # By hand into the other slot: the bootloader asks, too.
    old = tmp_path / "old.bin"
    old.write_bytes(next_version(project, tmp_path, "8", 31))
    said = json.loads(porta("explain", flash, "--json").out)
    porta("flash", "write", flash, said["boot"], old)
    ended = device(flash, "--boots", "1")
    assert "brief: version 8 starts" not in ended.out, ended


def test_its_options(built):
    """A line with a leading blank is ignored, and the person is told why."""
    project = built("")
    assert re.search(r"note: sdkconfig.defaults:\d+: ignored, because it "
                     "begins with a blank", project.said.err)
    assert project.config("APP_PROJECT_VER") == '"1"'
    assert project.config("BOOTLOADER_APP_ANTI_ROLLBACK") == "1"
    assert project.config("BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD") == "32"


def test_its_table(built):
    if SANITIZED:
        pytest.skip("a sanitized program needs a larger table")
    path = built("").out / "partition_table/partition-table.bin"
    rows = json.loads(porta("table", "show", path, "--json").out)["partitions"]
    assert [(r["label"], hex(r["offset"]), r["size"]) for r in rows] == [
        ("nvs", "0x9000", 0x4000), ("otadata", "0xd000", 0x2000),
        ("phy_init", "0xf000", 0x1000), ("emul_efuse", "0x10000", 0x2000),
        ("ota_0", "0x20000", 1 << 20), ("ota_1", "0x120000", 1 << 20)]


def test_it_fits_the_slots(built):
    """A stripped program with everything in it stays below 768 KiB."""
    if SANITIZED:
        pytest.skip("sanitizers make programs larger")
    assert (built("").out / "brief.bin").stat().st_size < 768 * 1024


def test_the_page_shows_what_is_built():
    """docs/porting-from-esp-idf.md: its two snippets are parts of the
    project that is built here."""
    shown = PAGE.blocks("Snippets that pass the wrong configuration", "c")
    for name, block in zip(("github.inc", "token.inc"), shown, strict=True):
        assert (SNIPPETS / name).read_text() == block, name


def test_the_snippets_are_the_briefs():
    """As they stand; the two others are changed as the page shows."""
    data = os.environ.get("PORTA_TEST_DATA")
    brief = pathlib.Path(data or "/nonexistent").parent / "product-brief.pt.md"
    if not brief.exists():
        pytest.skip("PORTA_TEST_DATA is not set, or the brief is not beside it")
    text = brief.read_text(encoding="utf-8")
    for path in (SNIPPETS / "one_shot.inc", SNIPPETS / "skeleton.inc",
                 HERE / "brief/sdkconfig.defaults",
                 HERE / "brief/partitions_example.csv"):
        assert path.read_text(encoding="utf-8") in text, path
