"""The bootloader of the board, given flash that is not as it should be."""

import json
import struct
import subprocess

import pytest

from conftest import PORTA, TABLE, app, porta

SLOT_0, SLOT_1 = 0x10000, 0x110000


def write(board, offset, data):
    with open(board.flash, "r+b") as f:
        f.seek(offset)
        f.write(data)


def nothing_boots(boots):
    return (boots.code == 1 and boots.report["ended"] == "no_boot"
            and "nothing boots" in boots.report["error"]["message"])


def test_blank_flash(board):
    board.flash.write_bytes(b"\xff" * (32 << 20))
    boots = board.run("--chip", "qemu_virt_rv32")
    assert nothing_boots(boots), boots


def test_partition_table_that_is_damaged(board):
    board.make(ota_0="ota-1")
    write(board, 0x8004, b"\x00\x00")
    boots = board.run("--chip", "qemu_virt_rv32")
    assert nothing_boots(boots), boots


def test_both_slots_bad(board):
    """It says which and why, and the machine ends with a code of its own."""
    board.make(ota_0="ota-1", ota_1="ota-2")
    write(board, SLOT_0 + 5000, b"\x00" * 16)
    write(board, SLOT_1 + 5000, b"\x00" * 16)
    boots = board.run()
    assert nothing_boots(boots), boots
    message = boots.report["error"]["message"]
    assert "ota_0 is refused" in message and "ota_1 is refused" in message


def test_falls_back_when_the_first_slot_is_damaged(board):
    board.make(ota_0="ota-1", ota_1="ota-2")
    write(board, SLOT_0 + 5000, b"\x00" * 16)
    boots = board.run(boots=1)
    assert boots.slots == ["ota_1"], boots


@pytest.mark.parametrize("load,entry,claim", [
    (0x42010128, 0x42010128, "linked for another address"),
    (0x80010000, 0x80010000, "linked for RAM"),
    (0x42000128, 0x42300000, "starts outside of itself"),
    (0x42000128, 0x42000129, "starts between two instructions")])
def test_refuses_an_image_that_is(board, tmp_path, load, entry, claim):
    """What it says of itself is right, and it cannot run in the window."""
    raw = tmp_path / "raw"
    raw.write_bytes(app("ota-2").read_bytes()[0x128:0x128 + 8192])
    image = tmp_path / "image.bin"
    porta("image", "create", "--chip", "qemu_virt_rv32", "--project", "x",
          "--version", "1", "--segment", f"{load:#x}:{raw}", "--entry",
          f"{entry:#x}", "-o", image)
    board.make(ota_0=image, ota_1="ota-2")
    boots = board.run(boots=1)
    assert boots.slots == ["ota_1"], (claim, boots)
    assert "ota_0 does not verify" in boots.console


def test_options_that_cannot_be_read_are_the_strictest(board):
    """A flag that no bootloader knows: only signed images, and this is none."""
    board.make(ota_0="ota-1")
    damage_options(board)
    boots = board.run("--no-network")
    assert nothing_boots(boots), boots
    assert "cannot be read" in boots.console


# --- signatures ----------------------------------------------------------------


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """(key, wrong key, images by name)"""
    folder = tmp_path_factory.mktemp("signed")
    for name in "good", "other":
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out",
                        folder / f"{name}.key"], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", folder / f"{name}.key",
                        "-pubout", "-out", folder / f"{name}.pub"], check=True,
                       capture_output=True)
        porta("image", "sign", "--scheme", "ecdsa256", "--key",
              folder / f"{name}.key", app("ota-1"), "-o",
              folder / f"{name}.bin")
    return folder


def make_signed(board, signed, image):
    board.make("--require-signed", "ecdsa256", "--verify-key",
               signed / "good.pub")
    data = image.read_bytes()
    write(board, SLOT_0, data)


def test_starts_what_its_key_has_signed(board, signed):
    make_signed(board, signed, signed / "good.bin")
    boots = board.run(boots=1)
    assert boots.slots == ["ota_0"], boots


@pytest.mark.parametrize("which", ["other key", "unsigned", "changed"])
def test_does_not_start_what_is_signed_by_or_is(board, signed, which):
    image = {"other key": signed / "other.bin", "unsigned": app("ota-1"),
             "changed": signed / "good.bin"}[which]
    make_signed(board, signed, image)
    if which == "changed":
        length = (signed / "good.bin").stat().st_size
        write(board, SLOT_0 + length - 4096 + 110, b"\x00" * 8)
    boots = board.run()
    assert nothing_boots(boots), boots


# --- anti-rollback -------------------------------------------------------------


def test_burns_fuses_for_what_is_confirmed_and_refuses_older_ones(board):
    """Secure version 2 boots and is confirmed; version 0 never boots again."""
    board.make("--anti-rollback", ota_0="ota-secure",
               table=TABLE + "efuse, data, efuse, 0x216000, 0x2000\n")
    board.run("--no-network")
    board.run("--no-network")
    shown = json.loads(porta("flash", "show", board.flash, "--json").stdout)
    assert shown["secure_version"] == 2, shown
    write(board, SLOT_0, app("ota-1").read_bytes())
    boots = board.run("--no-network")
    assert nothing_boots(boots), boots
    write(board, SLOT_1, app("ota-secure").read_bytes())
    assert board.run("--no-network", boots=1).slots == ["ota_1"]


def damage_options(board):
    """A flag that no bootloader knows."""
    at = 0x1000 + board.slot_bytes(0x1000, 0x1000).index(b"PTOP")
    write(board, at + 8, struct.pack("<I", 0x80000001))


@pytest.mark.parametrize("which,starts", [("ota-secure", True),
                                          ("ota-1", False)])
def test_options_that_cannot_be_read_leave_anti_rollback_on(
        board, signed, tmp_path, which, starts):
    """Fuses that say 2, a key store, no options: an image that is signed boots
    if it is new enough."""
    rows = ("efuse, data, efuse, 0x216000, 0x2000\n"
            "porta_keys, data, 0x70, 0x218000, 0x2000\n")
    board.make("--anti-rollback", ota_0="ota-secure", table=TABLE + rows)
    board.run("--no-network")
    board.run("--no-network")
    keys = tmp_path / "keys.bin"
    porta("key", "set", signed / "good.pub", "--scheme", "ecdsa256",
          "--set-version", "1", "-o", keys)
    board.write_partition("porta_keys", keys)
    image = tmp_path / "image.bin"
    porta("image", "sign", "--scheme", "ecdsa256", "--key",
          signed / "good.key", app(which), "-o", image)
    write(board, SLOT_0, image.read_bytes())
    damage_options(board)
    boots = board.run("--no-network", boots=1)
    assert "cannot be read" in boots.console
    assert nothing_boots(boots) != starts, boots
    assert (boots.slots == ["ota_0"]) == starts, boots


# --- the runner --------------------------------------------------------------------


@pytest.mark.parametrize("arguments,code,words", [
    (["--board", "nonesuch"], 2, "there is no such board"),
    (["--board", "qemu-virt-rv32", "--no-rollback"], 2,
     "only the options"),
    (["--board", "qemu-virt-rv32", "--input", "64=1"], 2, "pins 0 to 63"),
    (["--board", "qemu-virt-rv32", "--input", "4=high"], 2, "--input 4=high"),
    (["--board", "qemu-virt-rv32", "--bootloader", "/nonexistent"], 1,
     "/nonexistent"),
    ([], 1, "--board qemu-virt-rv32")])
def test_says_what_it_cannot_do(board, arguments, code, words):
    board.make(ota_0="ota-1")
    done = subprocess.run([PORTA, "device", board.flash, *arguments],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == code and words in done.stderr, done.stderr


def test_wants_a_flash_of_the_right_size(board, tmp_path):
    small = tmp_path / "small.bin"
    csv = tmp_path / "t.csv"
    csv.write_text(TABLE)
    porta("flash", "create", "-o", small, "--chip", "qemu_virt_rv32", "--size",
          "4MB", "--table", csv)
    done = subprocess.run([PORTA, "device", "--board", "qemu-virt-rv32",
                           small], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "--size 32MB" in done.stderr


def test_says_that_there_is_no_emulator(board):
    board.make(ota_0="ota-1")
    done = subprocess.run([PORTA, "device", "--board", "qemu-virt-rv32",
                           board.flash], capture_output=True, text=True,
                          timeout=30, env={"PATH": "/nonexistent"})
    assert done.returncode == 1
    assert "tools/setup.sh board" in done.stderr


def test_firmware_has_nothing_of_the_update_path(board):
    """The ELF of the bootloader imports no heap, no network, no TLS."""
    import os
    elf = app("bootloader").with_suffix(".elf")
    tool = os.path.join(os.environ["PORTA_SOURCE"], "tools",
                        "check_boot_imports.sh")
    done = subprocess.run([tool, elf], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
