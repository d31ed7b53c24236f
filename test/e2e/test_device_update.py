"""A device updates itself: the application calls esp_https_ota, the board
resets, the bootloader starts the new bytes. Then the same with the power cut
at flash operations, and with the board killed."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

import nginx
from conftest import BIN, boot_of

DONE = "this version works and is confirmed"
APPS = os.path.join(BIN, "..", "apps")
pytestmark = [
    pytest.mark.skipif(not nginx.find(), reason="nginx is not installed"),
    pytest.mark.skipif(not os.path.exists(f"{APPS}/advanced-2.bin"),
                       reason="the example applications are not built"),
]


def slot_size():
    """Sanitized programs are large: so are the slots then."""
    size = max(os.path.getsize(f"{APPS}/{name}") for name in os.listdir(APPS)
               if name.endswith(".bin"))
    return "1M" if size <= 0x100000 else "15M"


@pytest.fixture
def device(porta, pki, tmp_path):
    """device(name) -> (flash file that runs NAME-1, server of NAME-2)"""
    www = tmp_path / "www"
    www.mkdir()
    cert, key = pki.server()
    table = tmp_path / "table.csv"
    table.write_text(
        "otadata, data, ota, , 0x2000\nsettings, data, undefined, , 0x1000\n"
        f"ota_0, app, ota_0, , {slot_size()}\n"
        f"ota_1, app, ota_1, , {slot_size()}\n")
    with nginx.Nginx(www, cert, key) as server:
        def make(name, offered=None):
            shutil.copy(offered or f"{APPS}/{name}-2.bin", www / "app.bin")
            flash = tmp_path / "device.bin"
            porta.ok("flash", "create", "-o", flash, "--chip", "linux",
                     "--size", "32MB" if slot_size() == "15M" else "4MB",
                     "--table", table, "--app",
                     f"ota_0={APPS}/{name}-1.bin")
            settings = tmp_path / "settings"
            settings.write_text(server.url("app.bin") + "\n" +
                                open(pki.ca).read())
            porta.ok("flash", "write", flash, "settings", settings)
            return flash, server
        yield make


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out}\nerr: {self.err}"


def run(porta, flash, until, extra=(), boots=6):
    """Switches the device on, and off again once a line says `until` (any of
    several) or it ends by itself."""
    board = porta.start("device", flash, "--boots", boots, "--max-time", "60",
                        *extra, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    lines = []
    for line in board.stdout:
        lines.append(line)
        if any(word in line for word in until):
            board.terminate()
            break
    rest, err = board.communicate(timeout=30)
    return Ran(board.returncode, "".join(lines) + rest, err)


@pytest.mark.parametrize("name", ["simple", "advanced"])
def test_update_reboot_confirm(porta, device, name):
    flash, server = device(name)
    ended = run(porta, flash, [DONE])
    assert ended.code == 0, ended
    assert "version 1 runs from ota_0" in ended.out
    assert "version 2 runs from ota_1" in ended.out
    assert DONE in ended.out
    said = porta.ok("explain", flash, "--json").json
    assert said["boot"] == "ota_1" and said["writes"] == []
    states = {r["seq"]: r["state"] for r in said["otadata"]}
    assert states[max(states)] == "VALID"


def test_the_slot_holds_what_the_server_has(porta, device, tmp_path):
    flash, server = device("simple")
    run(porta, flash, [DONE])
    porta.ok("flash", "read", flash, "ota_1", tmp_path / "slot")
    want = open(f"{APPS}/simple-2.bin", "rb").read()
    assert open(tmp_path / "slot", "rb").read(len(want)) == want


def test_a_truncated_file_leaves_the_device_running(porta, device, tmp_path):
    cut = tmp_path / "cut.bin"
    cut.write_bytes(open(f"{APPS}/simple-2.bin", "rb").read()[:300000])
    flash, server = device("simple", offered=cut)
    before = boot_of(porta, flash)
    ended = run(porta, flash, ["keeps running"])
    assert "refused" in ended.out and "version 1 keeps running" in ended.out
    assert boot_of(porta, flash)[0] == "ota_0" == before[0]


def test_a_crash_before_confirming_is_rolled_back(porta, device):
    flash, server = device("simple", offered=f"{APPS}/simple-3.bin")
    ended = run(porta, flash, ["was rolled back"])
    assert "rolled back" in ended.out, ended
    said = porta.ok("explain", flash, "--json").json
    assert said["boot"] == "ota_0"
    assert "ABORTED" in {r["state"] for r in said["otadata"]}


def free(porta, flash):
    """What `porta explain` says, once a killed board's child is gone."""
    for _ in range(100):
        ended = porta("explain", flash, "--json")
        if ended.code == 0:
            return ended.json
        assert "in use" in ended.err, ended
        time.sleep(0.05)
    raise AssertionError("an orphan holds the flash file")


def ends_well(porta, flash):
    """Whatever was cut: what boots verifies, and the update succeeds."""
    assert free(porta, flash)["boot"] in ("ota_0", "ota_1")
    for _ in range(4):
        ended = run(porta, flash, [DONE, "keeps running"])
        assert ended.code == 0, ended
        said = porta.ok("explain", flash, "--json").json
        if said["boot"] == "ota_1" and not said["writes"]:
            return
    raise AssertionError(f"the update never succeeded: {said}")


def test_power_cuts_at_flash_operations(porta, device):
    flash, server = device("simple")
    shutil.copy(flash, f"{flash}.fresh")
    dice = random.Random(7)
    sectors = os.path.getsize(f"{APPS}/simple-2.bin") // 4096 + 1
    cuts = set(range(1, 8)) | {dice.randrange(8, 2 * sectors)
                               for _ in range(6)}
    cuts |= set(range(2 * sectors, 2 * sectors + 12))  # activation, confirm
    fired = 0
    for cut in sorted(cuts):
        shutil.copy(f"{flash}.fresh", flash)
        ended = run(porta, flash, [DONE, "keeps running"],
                    extra=("--power-cut", cut))
        fired += "power cut before" in ended.err
        assert "of signal 9" not in ended.err, ended
        ends_well(porta, flash)
    assert fired >= 12, fired


def test_a_power_cut_that_does_not_come_is_said(porta, device):
    flash, _ = device("simple")
    ended = run(porta, flash, [DONE, "keeps running"],
                extra=("--power-cut", 100000))
    assert "no power cut: the device did not come to flash operation " \
        "100000" in ended.err


def kills():
    """How often the board is killed: 8 times, 1,000 times in check-deep."""
    usual = "1000" if os.environ.get("PORTA_DEEP") == "1" else "8"
    return int(os.environ.get("PORTA_KILLS", usual))


def is_amid(flash, slot):
    """The slot has a body, and no head yet."""
    with open(flash, "rb") as file:
        file.seek(slot)
        first = file.read(4096)
    return first[:16] == b"\xff" * 16 != first[16:32]


def wait_for_bytes(flash, off):
    """Until something is programmed there, or nobody writes any more."""
    with open(flash, "rb", buffering=0) as file:
        for _ in range(10000):
            file.seek(off)
            if file.read(64) != b"\xff" * 64:
                return
            time.sleep(0.0005)


def test_the_board_is_killed(porta, device):
    """SIGKILL of the board is the power cut; no orphan writes on. The moment
    is anywhere in the time that an undisturbed update takes, or, every other
    time, when a random sector of the slot has been written."""
    flash, server = device("simple")
    shutil.copy(flash, f"{flash}.fresh")
    start = time.monotonic()
    assert run(porta, flash, [DONE]).code == 0
    span = time.monotonic() - start
    table = porta.ok("flash", "show", flash, "--json").json["table"]
    slot = next(row for row in table if row["label"] == "ota_1")
    dice = random.Random(11)
    sectors = os.path.getsize(f"{APPS}/simple-2.bin") // 4096
    amid = 0
    for turn in range(kills()):
        shutil.copy(f"{flash}.fresh", flash)
        board = porta.start("device", flash, "--boots", "2", "--max-time",
                            "20", stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        if turn % 2:
            wait_for_bytes(flash, slot["offset"] + 2048 +
                           4096 * dice.randrange(sectors * 3 // 4))
        else:
            time.sleep(dice.uniform(0.005, span))
        board.send_signal(signal.SIGKILL)
        board.wait(timeout=10)
        amid += is_amid(flash, slot["offset"])
        ends_well(porta, flash)
    print(f"{kills()} kills, {amid} of them while the slot was written")
    assert amid >= kills() // 8


def test_a_machine_without_room_decides_nothing(porta, device):
    """What was installed is not given up because the host is full: nothing is
    written, and later it starts."""
    flash, _ = device("advanced")
    porta("device", flash, "--boots", "1", "--max-time", "60")
    assert boot_of(porta, flash)[0] == "ota_1"
    before = flash.read_bytes()
    done = subprocess.run(
        [porta.path, "device", flash, "--boots", "1", "--max-time", "60"],
        capture_output=True, text=True, timeout=90, check=False, preexec_fn=lambda:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert done.returncode == 1 and "no room" in done.stderr, done
    assert "File too large" in done.stderr, done
    assert flash.read_bytes() == before
    ran = run(porta, flash, [DONE])
    assert DONE in ran.out, ran
