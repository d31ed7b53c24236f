"""The power goes: SIGKILL of the runner takes the emulator with it, in the
middle of whatever it is doing to the flash."""

import json
import os
import random
import signal
import time

from conftest import app, porta

SLOT_1 = 0x110000


def wait_for_bytes(board, count, process):
    """Until so many bytes of slot 1 were programmed."""
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        if board.slot_bytes(SLOT_1 + count, 64) != b"\xff" * 64:
            return
        time.sleep(0.002)
    raise AssertionError("the download never got that far")


def cut(process):
    process.kill()
    return process.communicate(timeout=10)[0]


def test_goes_on_after_a_cut(board, serve, pki):
    """The second attempt asks for what is missing only."""
    server = serve("ota-2", "--throttle", "400K")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url(), keep=1)
    process = board.start()
    wait_for_bytes(board, 140000, process)
    cut(process)
    assert board.explain()["boot"] == "ota_0"
    boots = board.run()
    assert "CONFIRMED ESP_OK" in boots.console, boots
    assert boots.figure("resumed") >= 65536, boots
    image = app("ota-2").read_bytes()
    assert board.slot_bytes(SLOT_1, len(image)) == image


def test_survives_20_cuts_at_random_moments(board, serve, pki):
    """After each one something boots that was installed whole; in the end the
    update gets through."""
    seed = 20311
    moments = random.Random(seed)
    server = serve("ota-2", "--throttle", "600K")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=server.url())
    for nth in range(20):
        process = board.start(boots=2)
        time.sleep(moments.uniform(0.02, 1.3))
        said = cut(process)
        told = json.loads(porta("explain", board.flash, "--json").stdout)
        assert told["boot"] in ("ota_0", "ota_1"), (seed, nth, told, said)
    server.stop()
    board.settings(pki.ca, url=serve("ota-2").url())
    boots = board.run(boots=4)
    assert "RUNS version=2" in boots.console, (seed, boots)
    image = app("ota-2").read_bytes()
    assert image in (board.slot_bytes(SLOT_1, len(image)),
                     board.slot_bytes(0x10000, len(image))), seed


def test_emulator_that_is_killed_alone_is_a_power_cut(board):
    """The board comes up again with reason power-on."""
    board.make(ota_0="ota-1")
    process = board.start(boots=0, seconds=120)
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    child = wait_child(children, "RUNS", board)
    os.kill(child, signal.SIGKILL)
    assert wait_child(children, "RUNS", board, other_than=child) != child
    process.terminate()
    report = process.communicate(timeout=10)[0]
    assert report.count("reset (power-on)") == 2, report


def wait_child(children, text, board, other_than=0):
    """The emulator's process, once its console has said text."""
    log = board.folder / "flash.bin.run" / "console.log"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with open(children) as f:
            found = [int(c) for c in f.read().split()]
        wanted = 2 if other_than else 1
        if (found and found[0] != other_than and log.exists()
                and log.read_text(errors="replace").count(text) >= wanted):
            return found[0]
        time.sleep(0.01)
    raise AssertionError("the emulator did not get that far")
