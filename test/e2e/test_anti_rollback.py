"""Anti-rollback from end to end: what is refused, where, and at what cost; what
raises the fuses; and the power cut at every operation that does."""

import os
import shutil
import subprocess

import pytest

import nginx
from conftest import BIN

APPS = os.path.join(BIN, "..", "apps")
FUSES = "emul_efuse, data, 5, , 0x2000\n"
SLOTS = "otadata, data, ota, , 0x2000\n{}ota_0, app, ota_0, , {}\n" \
        "ota_1, app, ota_1, , {}\n"
needs_nginx = pytest.mark.skipif(not nginx.find(),
                                 reason="nginx is not installed")


@pytest.fixture
def made(porta, tmp_path):
    """made(2) -> an image of secure version 2"""
    def make(version, chip="linux"):
        path, code = tmp_path / f"{chip}-{version}.bin", tmp_path / "code"
        code.write_bytes(bytes((i * 7 + version) % 251 for i in range(20000)))
        porta.ok("image", "create", "--chip", chip, "--project", "demo",
                 "--version", f"1.{version}", "--secure-version", version,
                 "--segment", f"0x40000000:{code}", "-o", path)
        return path
    return make


@pytest.fixture
def device(porta, tmp_path, made):
    """device(2) -> a flash that runs an image of secure version 2, confirmed"""
    def make(version=2, fuses=FUSES, chip="linux", options=()):
        flash, csv = tmp_path / "device.bin", tmp_path / "table.csv"
        csv.write_text(SLOTS.format(fuses, "64K", "64K"))
        porta.ok("flash", "create", "-o", flash, "--size", "1M", "--chip",
                 chip, "--table", csv, "--app",
                 f"ota_0={made(version, chip)}", "--anti-rollback", *options)
        porta.ok("reset", flash)
        return flash
    return make


@pytest.fixture
def server(pki, tmp_path):
    www = tmp_path / "www"
    www.mkdir()
    with nginx.Nginx(www, *pki.server()) as running:
        running.www, running.ca = www, pki.ca
        yield running


def offer(porta, server, flash, image, *options):
    shutil.copy(image, server.www / image.name)
    return porta("update", flash, server.url(image.name), "--cacert",
                 server.ca, "--json", *options)


def fuses(porta, flash):
    return porta.ok("flash", "show", flash, "--json").json["secure_version"]


# --- what is refused, and where ----------------------------------------------

@needs_nginx
def test_versions_rise_and_never_fall(porta, device, made, server):
    flash = device(1)
    assert fuses(porta, flash) == 1
    assert offer(porta, server, flash, made(2)).code == 0
    assert fuses(porta, flash) == 1            # installed
    assert porta.ok("reset", flash, "--json").json["boot"] == "ota_1"
    assert fuses(porta, flash) == 1            # on trial
    porta.ok("confirm", flash)
    assert fuses(porta, flash) == 2            # confirmed
    before = open(flash, "rb").read()
    ended = offer(porta, server, flash, made(1))
    assert ended.code == 1 and ended.json["error"]["code"] == 0x1504, ended
    assert ended.json["error"]["stage"] == "image"
    assert "secure version is 1 and this device starts 2" in ended.err
    assert open(flash, "rb").read() == before  # not an erase, not a byte
    # The image that it came from may not come back either.
    ended = porta("rollback", flash)
    assert ended.code == 1 and "cannot be given up" in ended.err, ended


@needs_nginx
def test_refused_after_the_first_kilobyte(porta, device, made, server):
    """A file of 50 kB: the rest is not asked for."""
    flash, old = device(3), made(2)
    shutil.copy(old, server.www / "app.bin")
    with open(server.www / "app.bin", "r+b") as file:
        file.truncate(50000)
    ended = porta("update", flash, server.url("app.bin"), "--cacert",
                  server.ca, "--json", "--range-size", "1024")
    assert ended.json["error"]["code"] == 0x1504, ended
    assert ended.json["requests"] == 1
    assert ended.json["bytes_received"] <= 1024, ended


def test_flashed_by_hand_it_does_not_boot(porta, device, made):
    flash = device(2)
    porta.ok("flash", "write", flash, "ota_0", made(1))
    said = porta.ok("explain", flash, "--json").json
    assert said["boot"] is None and said["action"] == "reset"
    ended = porta("reset", flash)
    assert ended.code == 1
    assert "secure version is 1, and this device starts 2" in ended.err, ended
    ended = porta("device", flash, "--boots", "2")
    assert ended.code == 1 and "ESP_ERR_OTA_SMALL_SEC_VER" in ended.err, ended
    porta.ok("flash", "write", flash, "ota_1", made(2))
    assert porta.ok("explain", flash, "--json").json["boot"] == "ota_1"


def test_a_newer_record_of_an_old_image_is_passed_over(porta, device, made):
    flash = device(2)
    porta.ok("flash", "write", flash, "ota_1", made(1))
    # As another tool would write it: sequence 2, VALID.
    with open(flash, "r+b") as file:
        file.seek(0x9000 + 0x1000)
        file.write(bytes.fromhex("02000000") + b"\xff" * 20 +
                   bytes.fromhex("02000000" "7437f655"))
    said = porta.ok("explain", flash, "--json").json
    assert said["otadata"][1] == {"seq": 2, "state": "VALID", "crc_ok": True}
    assert said["boot"] == "ota_0", said
    assert "too low" in said["reason"]


# --- the fuses ----------------------------------------------------------------

def test_shown_to_people(porta, device):
    flash = device(2, options=("--sec-ver-bits", "4"))
    out = porta.ok("flash", "show", flash).out
    assert "with rollback and anti-rollback (stored in the file)" in out
    assert "secure version 2, 2 of 4 bits are left" in out
    said = porta.ok("explain", flash, "--json").json
    assert said["anti_rollback"] is True and said["secure_version"] == 2
    assert said["raises_to"] is None


def test_more_than_the_field_holds(porta, device):
    flash = device(9, options=("--sec-ver-bits", "4"))
    assert fuses(porta, flash) == 4


@pytest.mark.parametrize("chip,offset,word", [
    ("esp32", 112, 0x7), ("esp32c3", 16, 0x7 << 14), ("esp32s2", 16, 7 << 11),
    ("esp32c2", 4, 0x7 << 22), ("linux", 16, 0x7 << 14)])
def test_the_reference_finds_its_dump(porta, device, tmp_path, chip, offset,
                                      word):
    flash, raw = device(3, chip=chip), tmp_path / "raw"
    porta.ok("flash", "read", flash, "emul_efuse", raw)
    data = raw.read_bytes()
    assert int.from_bytes(data[offset:offset + 4], "little") == word
    length = 128 if chip in ("esp32", "esp32c2") else 352
    assert data[length:4 * length] == b"\xff" * 3 * length


def test_what_the_reference_wrote_is_read(porta, device, tmp_path):
    flash, raw = device(0), tmp_path / "raw"
    raw.write_bytes(bytes(17) + b"\xc0\x01\x00" + bytes(332))  # bits 14..16
    porta.ok("flash", "write", flash, "emul_efuse", raw)
    assert fuses(porta, flash) == 3
    assert porta("reset", flash).code == 1     # the image has version 0


CASES = [
    ("erased", lambda d: b"\xff" * 8192, 0),
    ("the first copy is damaged", lambda d: b"\0" + d[1:], 2),
    ("the second copy is damaged", lambda d: d[:4096] + b"\0" + d[4097:], 2),
    ("the first sector is erased", lambda d: b"\xff" * 4096 + d[4096:], 2),
    ("the second sector is erased", lambda d: d[:4096] + b"\xff" * 4096, 2),
    ("both are damaged", lambda d: b"\1" + d[1:4096] + b"\1" + d[4097:], None),
]


@pytest.mark.parametrize("claim,change,version", CASES,
                         ids=[c[0] for c in CASES])
def test_damage(porta, device, tmp_path, claim, change, version):
    flash, raw = device(2), tmp_path / "raw"
    porta.ok("flash", "read", flash, "emul_efuse", raw)
    raw.write_bytes(change(raw.read_bytes()))
    porta.ok("flash", "write", flash, "emul_efuse", raw)
    assert fuses(porta, flash) == version
    ended = porta("reset", flash)
    if version is None:
        assert ended.code == 1 and "cannot be read" in ended.err, ended
        assert "ESP_ERR_INVALID_CRC" in ended.err
    else:
        assert ended.code == 0 and fuses(porta, flash) == 2, ended
        porta.ok("flash", "read", flash, "emul_efuse", raw)
        assert raw.read_bytes()[:4096] == raw.read_bytes()[4096:]  # repaired


def test_beside_the_flash(porta, device, made, tmp_path):
    """A table without the partition: the chip's fuses are a file."""
    flash = device(2, fuses="")
    beside = tmp_path / "device.bin.efuse"
    assert beside.stat().st_size == 8192
    assert fuses(porta, flash) == 2
    porta.ok("flash", "write", flash, "ota_0", made(1))
    assert porta.ok("explain", flash, "--json").json["boot"] is None
    beside.write_bytes(b"cut short")
    ended = porta("explain", flash)
    assert ended.code == 1 and "9 bytes instead of 8192" in ended.err, ended
    beside.unlink()                            # another chip
    assert porta.ok("explain", flash, "--json").json["boot"] == "ota_0"
    assert not beside.exists()                 # looking makes no file


def test_one_sector(porta, tmp_path, made):
    csv, flash = tmp_path / "table.csv", tmp_path / "device.bin"
    csv.write_text(SLOTS.format("f, data, efuse, , 0x1000\n", "64K", "64K"))
    args = ("flash", "create", "-o", flash, "--size", "1M", "--table", csv,
            "--app", f"ota_0={made(2)}")
    ended = porta(*args, "--anti-rollback")
    assert ended.code == 1 and "4096 bytes and fuses need 8192" in ended.err
    porta.ok(*args)                            # made without, used with
    ended = porta("reset", flash, "--anti-rollback")
    assert ended.code == 1 and "cannot be raised to 2" in ended.err, ended
    assert fuses(porta, flash) == 0


def test_torture(porta, device, made):
    ended = porta.ok("torture", device(1), "--image", made(2), "--json",
                     timeout=600)
    said = ended.json
    path = next(p for p in said["paths"] if p["path"] == "anti-rollback")
    assert said["failures"] == 0 and path["not_here"] is None
    assert {c["operation"] for c in path["cells"]} >= {"erase fuses",
                                                       "program fuses"}
    ended = porta("torture", device(1, fuses=""), "--image", made(2))
    assert ended.code == 1 and "no partition for fuses" in ended.err, ended


# --- command lines ---------------------------------------------------------------

@pytest.mark.parametrize("options,word", [
    (("--anti-rollback", "--no-rollback"), "needs rollback"),
    (("--anti-rollback", "--sec-ver-bits", "17"), "linux has 16"),
    (("--sec-ver-bits", "4"), "go with --anti-rollback"),
    (("--fuse-chip", "esp32"), "go with --anti-rollback"),
    (("--anti-rollback", "--fuse-chip", "esp32e22"), "has no fuses"),
    (("--anti-rollback", "--fuse-chip", "z80"), "there are"),
])
def test_wrong_command_lines(porta, device, options, word):
    flash = device()
    if options[0] == "--anti-rollback":
        ended = porta("explain", flash, *options)
        assert ended.code == 2 and word in ended.err, ended
    ended = porta("flash", "create", "-o", f"{flash}.new", "--chip", "linux",
                  *options)
    assert ended.code == 2 and word in ended.err, ended
    assert not os.path.exists(f"{flash}.new")


def test_stored_options_hold(porta, device):
    flash = device(2, options=("--sec-ver-bits", "32", "--fuse-chip", "esp32"))
    assert "30 of 32 bits are left" in porta.ok("flash", "show", flash).out
    ended = porta("explain", flash, "--no-rollback")
    assert ended.code == 2 and "bootloader options have" in ended.err, ended


def test_damaged_options_are_not_taken_for_none(porta, device, made):
    """One changed byte: nobody knows what the device asked for."""
    flash = device(2)
    with open(flash, "r+b") as file:
        file.seek(0x1000 + 24 + 8 + 4)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    for args in (["explain", flash], ["reset", flash], ["flash", "show", flash],
                 ["device", flash, "--boots", "1"]):
        ended = porta(*args)
        assert ended.code == 1 and "options cannot be used" in ended.err, ended
    porta.ok("explain", flash, "--rollback")   # if somebody says so
    porta.ok("flash", "read", flash, "ota_0", "/dev/null")


# --- a device that runs ---------------------------------------------------------

def program(porta, tmp_path, name, secure_version):
    """An example application, packed anew with this secure version."""
    source = f"{APPS}/{name}.bin"
    info = porta.ok("image", "info", source, "--json").json
    elf = info["segments"][1]
    data = open(source, "rb").read()
    body = tmp_path / f"{name}.elf"
    body.write_bytes(data[elf["file_off"]:elf["file_off"] + elf["len"]])
    out = tmp_path / f"{name}-s{secure_version}.bin"
    porta.ok("image", "create", "--chip", "linux", "--elf", body, "--project",
             info["project"], "--version", info["version"],
             "--secure-version", secure_version, "-o", out)
    return out


@pytest.fixture
def trial(porta, tmp_path, server):
    """A running device whose new image (secure version 3) waits for its
    first start."""
    if not os.path.exists(f"{APPS}/simple-2.bin"):
        pytest.skip("the example applications are not built")
    old = program(porta, tmp_path, "simple-1", 1)
    new = program(porta, tmp_path, "simple-2", 3)
    size = "1M" if max(f.stat().st_size for f in (old, new)) <= 2**20 else "15M"
    flash, csv = tmp_path / "device.bin", tmp_path / "table.csv"
    csv.write_text("settings, data, undefined, , 0x1000\n" +
                   SLOTS.format(FUSES, size, size))
    porta.ok("flash", "create", "-o", flash, "--chip", "linux", "--size",
             "4MB" if size == "1M" else "32MB", "--table", csv, "--app",
             f"ota_0={old}", "--anti-rollback")
    settings = tmp_path / "settings"
    settings.write_text(server.url("app.bin") + "\n" + open(server.ca).read())
    porta.ok("flash", "write", flash, "settings", settings)
    porta.ok("reset", flash)
    assert offer(porta, server, flash, new).code == 0
    return flash


def run(porta, flash, *options):
    board = porta.start("device", flash, "--boots", "1", "--max-time", "60",
                        *options, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT)
    out = ""
    for line in board.stdout:
        out += line
        if "this version works and is confirmed" in line:
            board.terminate()
    board.wait(timeout=60)
    return out


@needs_nginx
def test_a_running_program_raises_the_fuses(porta, trial):
    out = run(porta, trial)
    assert "version 2 runs from ota_1" in out, out
    assert fuses(porta, trial) == 3
    # The same, started with fuses that are ahead of it, does not come up.
    assert porta.ok("explain", trial, "--json").json["boot"] == "ota_1"


@needs_nginx
def test_power_cuts_while_it_confirms(porta, trial):
    """Old or new, never less, and never new before the record says VALID."""
    shutil.copy(trial, f"{trial}.fresh")
    seen = set()
    for cut in range(1, 40):
        shutil.copy(f"{trial}.fresh", trial)
        out = run(porta, trial, "--power-cut", cut)
        if "board: power cut" not in out:
            break
        version = fuses(porta, trial)
        said = porta.ok("explain", trial, "--json").json
        newest = max(said["otadata"], key=lambda r: r["seq"] % 2**32
                     if r["crc_ok"] else -1)
        assert version in (1, 3)
        assert version == 1 or newest["state"] == "VALID", said
        assert said["boot"] in ("ota_0", "ota_1")
        if newest["state"] == "VALID" and version == 1:
            porta.ok("reset", trial)       # the bootloader ends it
            assert fuses(porta, trial) == 3
        seen.add((newest["state"], version))
    assert cut > 10, out
    assert {("VALID", 1), ("VALID", 3)} <= seen, seen
