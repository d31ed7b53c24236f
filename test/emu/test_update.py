"""The main job on bare metal: update, confirm, refuse, roll back."""

import pytest

from conftest import TABLE, app

SLOT_1 = 0x110000


def test_updates_itself_over_tls_1_3_and_confirms(board, serve, pki):
    """Version 1 fetches version 2, the bytes in flash are those of the file,
    and version 2 confirms itself."""
    server = serve("ota-2")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    boots = board.run()
    assert boots.reasons == ["power-on", "software"], boots
    assert boots.slots == ["ota_0", "ota_1"]
    assert "RUNS version=2 slot=ota_1 reset=3" in boots.console
    assert "CONFIRMED ESP_OK" in boots.console
    image = app("ota-2").read_bytes()
    assert board.slot_bytes(SLOT_1, len(image)) == image
    assert board.explain()["boot"] == "ota_1"
    assert {r["state"] for r in board.explain()["otadata"]} == {"VALID"}


def test_second_update_runs_from_the_first_slot_again(board, serve, pki):
    """A slot that has run before is written again: the emulator must not run
    the code that was there."""
    server = serve("ota-2")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    boots = board.run()
    assert boots.slots == ["ota_0", "ota_1"], boots
    boots = board.run()
    assert boots.slots == ["ota_1", "ota_0"], boots
    assert "CONFIRMED ESP_OK" in boots.console


def test_refuses_an_image_that_is_damaged(board, serve, pki, tmp_path):
    """One bit in the middle: the digest says so, and version 1 stays."""
    image = bytearray(app("ota-2").read_bytes())
    image[len(image) // 2] ^= 1
    bad = tmp_path / "bad.bin"
    bad.write_bytes(image)
    server = serve(bad)
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    boots = board.run()
    assert "UPDATE ESP_ERR_OTA_VALIDATE_FAILED" in boots.console, boots
    assert boots.slots == ["ota_0"] and boots.report["ended"] == "idle"
    assert board.explain()["boot"] == "ota_0"


def test_refuses_an_image_of_another_chip(board, serve, pki, tmp_path):
    image = bytearray(app("ota-2").read_bytes())
    image[12:14] = b"\x05\x00"  # esp32c3
    bad = tmp_path / "bad.bin"
    bad.write_bytes(image)
    server = serve(bad)
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    boots = board.run()
    assert "UPDATE ESP_OK" not in boots.console and "UPDATE" in boots.console
    assert board.slot_bytes(SLOT_1, 16) == b"\xff" * 16


@pytest.mark.parametrize("how,reason", [
    ("abort", "panic"), ("window", "panic"), ("bootram", "panic"),
    ("stack", "panic"), ("hang", "watchdog")])
def test_rolls_back_what_crashes(board, serve, pki, how, reason):
    """Aborted, wrote where it may not, overflowed its stack, or hung."""
    server = serve(f"bad-{how}")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    boots = board.run(boots=3)
    assert boots.reasons == ["power-on", "software", reason], boots
    assert boots.slots == ["ota_0", "ota_1", "ota_0"]
    assert "NOT REACHED" not in boots.console
    states = [r["state"] for r in board.explain()["otadata"]]
    assert "ABORTED" in states


@pytest.mark.parametrize("level,well", [
    ("0", False), ("1", True), ("@low", False), (None, True)])
def test_diagnostic_input_decides_over_a_trial(board, serve, pki, level, well):
    """Not given, the pin is pulled up."""
    server = serve("ota-2")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url(), pin=4)
    (board.folder / "low").write_text("0\n")
    level = level and level.replace("@", f"@{board.folder}/")
    boots = board.run(*(["--input", f"4={level}"] if level else []), boots=3)
    assert "UPDATE ESP_OK" in boots.console, boots
    states = [r["state"] for r in board.explain()["otadata"]]
    if well:
        assert boots.slots == ["ota_0", "ota_1"], boots
        assert "CONFIRMED ESP_OK" in boots.console and "VALID" in states
    else:
        assert boots.slots == ["ota_0", "ota_1", "ota_0"], boots
        assert boots.reasons[2] == "software" and "INVALID" in states, states


def test_refuses_an_image_below_the_fuses(board, serve, pki):
    """Secure version 2 runs and is confirmed; 0 is refused by its head,
    before a byte of it is in flash."""
    board.make("--anti-rollback", ota_0="ota-secure",
               table=TABLE + "efuse, data, efuse, 0x216000, 0x2000\n")
    board.run("--no-network")
    board.settings(pki.ca, url=serve("ota-2").url())
    boots = board.run()
    assert boots.slots == ["ota_0"], boots
    assert "UPDATE ESP_ERR_OTA_SMALL_SEC_VER" in boots.console, boots
    assert board.slot_bytes(SLOT_1, 16) == b"\xff" * 16
