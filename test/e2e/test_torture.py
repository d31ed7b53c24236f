"""porta torture on a documented layout: the table of docs/power-loss.md, the
sequences that can be replayed, and the refusals."""

import hashlib
import os
import random
import re

import pytest

SOURCE = os.environ["PORTA_SOURCE"]
DOC = f"{SOURCE}/docs/power-loss.md"
TABLE = ("nvs, data, nvs, 0x9000, 0x4000\notadata, data, ota, , 0x2000\n"
         "ota_0, app, ota_0, 0x10000, 64K\nota_1, app, ota_1, , 64K\n"
         "www_0, data, fat, , 8K\nwww_1, data, fat, , 8K\n"
         "emul_efuse, data, efuse, , 8K\n")
KEY_STORE = "porta_keys, data, 0x70, , 8K\n"


@pytest.fixture
def layout(porta, tmp_path):
    """A flash file that runs version 1, and the image of version 2."""
    return make_layout(porta, tmp_path, 60000)


@pytest.fixture
def small(porta, tmp_path):
    """The same with images that are soon written."""
    return make_layout(porta, tmp_path, 5000)


def make_layout(porta, tmp_path, least, table=TABLE):
    for version, size in ((1, least), (2, least + 1000)):
        (tmp_path / "body").write_bytes(random.Random(version).randbytes(size))
        porta.ok("image", "create", "--chip", "esp32", "--project", "demo",
                 "--version", version, "--secure-version", version, "--segment",
                 f"0x3ffb0000:{tmp_path}/body", "-o",
                 tmp_path / f"app{version}.bin")
    (tmp_path / "table.csv").write_text(table)
    flash = tmp_path / "device.bin"
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--size",
             "1MB", "--table", tmp_path / "table.csv", "--app",
             f"ota_0={tmp_path}/app1.bin", "--anti-rollback")
    return flash, tmp_path / "app2.bin"


def vector(name):
    return f"{SOURCE}/test/vectors/encrypted/{name}"


@pytest.fixture
def sealed(porta, tmp_path):
    return make_sealed(porta, tmp_path)


def make_sealed(porta, tmp_path):
    """Signed images, the update encrypted; and the options for it."""
    flash, _ = make_layout(porta, tmp_path, 40000)
    private, public = tmp_path / "sign.pem", tmp_path / "sign.pub.pem"
    porta.ok("key", "new", "--scheme", "ecdsa256", "-o", private)
    porta.ok("key", "public", private, "-o", public)
    for name in ("app1", "app2"):
        porta.ok("image", "sign", "--scheme", "ecdsa256", "--key",
                 private, tmp_path / f"{name}.bin", "-o",
                 tmp_path / f"{name}.signed")
    file = tmp_path / "app2.enc"
    porta.ok("image", "encrypt", "--key", vector("ecies256.pub.pem"),
             tmp_path / "app2.signed", "-o", file)
    flash.unlink()
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--size",
             "1MB", "--table", tmp_path / "table.csv", "--app",
             f"ota_0={tmp_path}/app1.signed", "--anti-rollback")
    return flash, file, ("--require-signed", "ecdsa256", "--verify-key", public)


def digest(path):
    return hashlib.sha256(path.read_bytes()).digest()


@pytest.fixture
def keyed_rows(porta, tmp_path_factory):
    """The table's rows about a key store: of a device that has one."""
    tmp_path = tmp_path_factory.mktemp("keyed")
    flash, _, signed = make_sealed(porta, tmp_path)
    other, key_set = tmp_path / "other.pem", tmp_path / "keys.set"
    porta.ok("key", "new", "--scheme", "ecdsa256", "-o", other)
    porta.ok("key", "public", other, "-o", tmp_path / "other.pub.pem")
    porta.ok("key", "set", signed[-1], tmp_path / "other.pub.pem",
             "--set-version", 1, "-o", key_set)
    porta.ok("image", "sign", "--data", "--scheme", "ecdsa256", "--key",
             tmp_path / "sign.pem", key_set, "-o", tmp_path / "keys.signed")
    (tmp_path / "table.csv").write_text(TABLE + KEY_STORE)
    flash.unlink()
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--size",
             "1MB", "--table", tmp_path / "table.csv", "--app",
             f"ota_0={tmp_path}/app1.signed", "--anti-rollback")
    return rows(porta.ok("torture", flash, "--image", tmp_path / "app2.signed",
                         "--keys", tmp_path / "keys.signed", "--path", "keys",
                         *signed))[2:]


def rows(ended):
    return [line + "\n" for line in ended.out.splitlines()
            if line.startswith("|")]


def test_the_table_in_the_docs(porta, layout, keyed_rows):
    flash, image = layout
    before = digest(flash)
    ended = porta.ok("torture", flash, "--image", image)
    assert digest(flash) == before
    made = "".join(rows(ended) + keyed_rows)
    doc = open(DOC, encoding="utf-8").read()
    head, _, rest = doc.partition("<!-- table -->\n")
    have, _, tail = rest.partition("<!-- end -->\n")
    if os.environ.get("PORTA_WRITE_DOCS") == "1":
        with open(DOC, "w", encoding="utf-8") as file:
            file.write(f"{head}<!-- table -->\n{made}<!-- end -->\n{tail}")
        return
    assert have == made, "PORTA_WRITE_DOCS=1 writes the table anew"


def test_json(porta, small):
    flash, image = small
    said = porta.ok("torture", flash, "--image", image, "--json").json
    assert said["result"] == "ok" and said["sequence"] is None
    assert said["armed"] == said["fired"] == said["runs"] > 1000
    assert said["failures"] == said["extra_erases"] == 0
    for path in said["paths"]:
        if path["path"] == "keys": # test/power/torture has a device with keys
            assert path["not_here"] == "no key set was given"
            continue
        assert path["not_here"] is None and path["cells"], path["path"]
        for cell in path["cells"]:
            assert cell["old"] + cell["new"] == cell["runs"]
            assert cell["reference_boots"] == cell["again"] == cell["runs"]


def test_signed_and_encrypted(porta, sealed):
    """All of it where there is time, else a sample."""
    flash, file, signed = sealed
    deep = os.environ.get("PORTA_DEEP") == "1"
    said = porta.ok("torture", flash, "--image", file, "--decrypt",
                    vector("ecies256.pem"), *signed, "--json",
                    *(() if deep else ("--random", 3, "--runs", 30)),
                    timeout=1000).json
    assert said["failures"] == said["extra_erases"] == 0
    assert said["armed"] == said["fired"] > 50


@pytest.mark.parametrize("second, status", [("20:torn.2", 0), ("45:before", 2)])
def test_goes_on_with_its_decryptor(porta, sealed, second, status):
    """The second try takes the download up from the checkpoint at 32 KiB, so
    it has fewer than 45 operations of the 55."""
    flash, file, signed = sealed
    ended = porta("torture", flash, "--image", file, "--decrypt",
                  vector("ecies256.pem"), *signed, "--replay",
                  f"update-kept/40:before/{second}")
    assert ended.code == status, ended


def test_what_cannot_be_decrypted(porta, sealed):
    flash, file, signed = sealed
    for image, key, words in (
            (file, vector("rsa3072.pem"), "for another key"),
            (file, vector("ecies256.pub.pem"), "is a public key"),
            (file.with_suffix(".signed"), vector("ecies256.pem"), "not encrypted"),
            (file, None, "no key to decrypt it by")):
        ended = porta("torture", flash, "--image", image, *signed,
                      *(("--decrypt", key) if key else ()))
        assert ended.code == 1 and words in ended.err, ended


def test_random_is_the_same_again(porta, small):
    flash, image = small
    runs = [porta.ok("torture", flash, "--image", image, "--random", 7,
                     "--runs", 40, "--jobs", jobs, "--json").json
            for jobs in (1, 2)]
    for said in runs:
        del said["elapsed_ms"]
    assert runs[0] == runs[1]
    assert runs[0]["runs"] == 40 and runs[0]["armed"] > 40


@pytest.mark.parametrize("seq", ["update/4:torn.3", "update/3:half.1",
                                 "partition/1:stuck", "migrate/3:torn.1",
                                 "confirm/2:unstable/1:before/2:half.1"])
def test_replay(porta, small, seq):
    flash, image = small
    said = porta.ok("torture", flash, "--image", image, "--replay", seq,
                    "--json").json
    assert said["runs"] == 1 and said["armed"] == seq.count(":")


def test_no_cell_is_empty():
    """A cell says what was seen, or that such an operation cannot be cut so;
    each path has its row in both tables."""
    doc = open(DOC, encoding="utf-8").read()
    table = doc.split("<!-- table -->\n")[1].split("<!-- end -->")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in table.splitlines()]
    head, rest = lines[0], lines[2:]
    assert len(rest) > 90
    for row in rest:
        may = {"torn"} if row[1].startswith("erase") else {
            "half", "unstable", "stuck", "worn"}
        for name, cell in zip(head[2:10], row[2:10], strict=True):
            assert cell != "-" or name in may or name in ("stuck", "worn"), row
            assert cell == "-" or re.fullmatch(
                r"old \d+|new \d+|old \d+, new \d+", cell), row
        for cell in row[10:]:
            assert len(set(cell.split(" of "))) == 1, row
    why = doc.split("## What carries each path")[1].split("\n## ")[0]
    assert {row[0] for row in rest} == set(
        re.findall(r"^\| ([a-z-]+) \|", why, re.M)) - {"path"}


def test_one_path(porta, small):
    flash, image = small
    said = porta.ok("torture", flash, "--image", image, "--path", "confirm",
                    "--path", "trial-again", "--json").json
    assert {path["path"]: path["not_here"] for path in said["paths"]
            if path["cells"]} == {"confirm": None, "trial-again": None}
    assert all(path["not_here"] == "it was not asked for"
               for path in said["paths"] if not path["cells"])
    ended = porta("torture", flash, "--image", image, "--path", "confirm-it")
    assert ended.code == 2 and "no path has this name" in ended.err


def test_a_path_that_is_not_here_proves_nothing(porta, small):
    flash, image = small
    args = ("torture", flash, "--image", image, "--path", "keys")
    ended = porta(*args)
    assert ended.code == 3 and "nothing was cut" in ended.out, ended
    assert "keys: not here: no key set was given" in ended.out
    assert porta(*args, "--json").code == 3


def test_the_image_that_runs_already(porta, small):
    """A program that gives itself up twice, as after a failed call, does not
    take the other one along: the slots cannot be told apart by what is in
    them."""
    flash, image = small
    porta.ok("torture", flash, "--image", image.parent / "app1.bin", "--path",
             "give-up", "--path", "confirm")


def test_more_than_the_fuses_can_show(porta, small):
    """Version 2 and one fuse, which version 1 burnt: there is nothing to raise.
    And version 2 on a device whose one fuse is whole."""
    flash, image = small
    said = porta.ok("torture", flash, "--image", image, "--sec-ver-bits", 1,
                    "--path", "anti-rollback", "--path", "confirm",
                    "--json").json
    assert {p["path"]: p["not_here"] for p in said["paths"]}[
        "anti-rollback"] == ("the image's secure version is not above the "
                             "device's")


@pytest.mark.parametrize("slot", [0, 1])
def test_half_of_a_pair_is_no_pair(porta, tmp_path, slot):
    """Data of an application that cannot be written, as the other's can."""
    row = f"www_{slot}, data, fat, , 8K"
    flash, image = make_layout(porta, tmp_path, 5000,
                               TABLE.replace(row, f"{row}, readonly"))
    said = porta.ok("torture", flash, "--image", image, "--path", "update-data",
                    "--path", "confirm", "--json").json
    assert {path["path"]: path["not_here"] for path in said["paths"]}[
        "update-data"].startswith("no OTA slot runs, or no data partitions")


@pytest.mark.parametrize("args", [
    ("--deny-list", "--replay", "house-move/1:before"),
    ("--trial-boots", 2, "--trial-power", 2, "--replay", "first-boot"),
])
def test_a_device_with_other_options(porta, small, args):
    """It neither refuses what a path gave up nor tries it longer than that."""
    flash, image = small
    porta.ok("torture", flash, "--image", image, *args)


@pytest.mark.parametrize("args, status, words", [
    ((), 2, "--image"),
    (("--image", "@", "--depth", "3"), 2, "--depth is 1 or 2"),
    (("--image", "@", "--random", "x"), 2, "no number"),
    (("--image", "@", "--random", "-1"), 2, "no number"),
    (("--image", "@", "--random", "18446744073709551616"), 2, "no number"),
    (("--image", "@", "--random", "1", "--runs", "0"), 2, "from 1"),
    (("--image", "@", "--runs", "2"), 2, "goes with --random"),
    (("--image", "@", "--random", "1", "--replay", "update/1:half"), 2,
     "not both"),
    (("--image", "@", "--replay", "bla"), 2, "is no sequence"),
    (("--image", "@", "--replay", "update/1:torn.x"), 2, "is no sequence"),
    (("--image", "@", "--replay", "update/9999:before"), 2, "no such"),
    (("--image", "/dev/null",), 1, "cannot be installed"),
    (("--image", "@", "--chip", "esp32c3"), 1, "no bootloader that verifies"),
    (("--image", "@", "--chip", "esp32c3", "--rollback"), 1, "boots"),
])
def test_refusals(porta, small, args, status, words):
    flash, image = small
    ended = porta("torture", flash,
                  *[image if arg == "@" else arg for arg in args])
    assert ended.code == status and words in ended.err, ended
    assert ended.err.count("\n") == 1 or status == 2, ended


def test_a_flash_file_cut_short(porta, layout, tmp_path):
    flash, image = layout
    short = tmp_path / "short.bin"
    short.write_bytes(flash.read_bytes()[:0x18000])
    ended = porta("torture", short, "--image", image)
    assert ended.code == 1 and ended.err.startswith("porta torture: flash:")
