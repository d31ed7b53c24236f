"""porta device: what ends a boot, what comes next, and what cannot happen.

Applications are small C programs packed as images; two are real ones that use
the runtime (apps/)."""
import json
import os
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest

PORTA = str(Path(os.environ["PORTA_BIN"]) / "porta")
APPS = Path(os.environ["PORTA_BIN"]).parent / "apps"
SANITIZED = os.environ.get("PORTA_SANITIZE") == "1"
OTADATA = 0x10000
# Slots that hold programs with sanitizers in them.
TABLE = """\
otadata, data, ota,   0x10000, 0x2000
ota_0,   app,  ota_0, 0x20000, 7M
ota_1,   app,  ota_1, 0x720000, 7M
"""
NEW, VALID = 0, 2

PROGRAMS = {
    "exit7": "int main(void) { return 7; }",
    "exit0": '#include <stdio.h>\n'
             'int main(int c, char **v) { puts(v[c - 1]); return 0; }',
    "abort": "#include <stdlib.h>\nint main(void) { abort(); }",
    "idle": "#include <unistd.h>\n#include <stdio.h>\n"
            'int main(void) { puts("up"); fflush(stdout);\n'
            "for (;;) pause(); }",
    "forks": "#include <stdio.h>\n#include <unistd.h>\n"
             "int main(void) { int pid = fork(); if (pid == 0) {\n"
             "setsid(); if (fork() == 0) setsid(); for (;;) pause(); }\n"
             'printf("forked %d\\nup\\n", pid); fflush(stdout);\n'
             "for (;;) pause(); }",
    "forks_and_dies": "#include <stdio.h>\n#include <stdlib.h>\n"
                      "#include <unistd.h>\n"
                      "int main(void) { int pid = fork(); if (pid == 0) {\n"
                      "setsid(); for (;;) pause(); }\n"
                      'printf("forked %d\\n", pid); fflush(stdout);\n'
                      "abort(); }",
    "killed": "#include <signal.h>\n"
              "int main(void) { return raise(SIGKILL); }",
}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    made = {}
    for name, text in PROGRAMS.items():
        source = folder / f"{name}.c"
        source.write_text(text)
        subprocess.run(["cc", "-O1", "-s", "-o", folder / name, source],
                       check=True)
        made[name] = pack(folder, name, folder / name)
    junk = folder / "junk"
    junk.write_bytes(b"no program at all\n" * 10)
    made["junk"] = pack(folder, "junk", junk)
    made["restart"] = str(APPS / "test-restart.bin")
    made["sleep"] = str(APPS / "test-sleep.bin")
    made["fork"] = str(APPS / "test-fork.bin")
    made["tasks"] = str(APPS / "test-tasks.bin")
    return made


def pack(folder, name, program):
    image = str(folder / f"{name}.bin")
    # --segment takes what --elf would refuse.
    how = ["--elf", program] if name != "junk" else [
        "--segment", f"0:{program}"]
    subprocess.run([PORTA, "image", "create", "--chip", "linux", "--project",
                    name, "--version", "1", *how, "-o", image], check=True)
    return image


@pytest.fixture
def flash(tmp_path, images):
    def make(ota_0=None, ota_1=None, records=()):
        path = tmp_path / "flash.bin"
        table = tmp_path / "table.csv"
        table.write_text(TABLE)
        slots = []
        for label, app in (("ota_0", ota_0), ("ota_1", ota_1)):
            if app:
                slots += ["--app", f"{label}={images[app]}"]
        subprocess.run([PORTA, "flash", "create", "-o", path, "--chip",
                        "linux", "--size", "16MB", "--table", table, *slots],
                       check=True)
        for i, (seq, state) in enumerate(records):
            write_record(path, i, seq, state)
        return path
    return make


def write_record(path, idx, seq, state):
    raw = struct.pack("<I", seq)
    record = raw + b"\xff" * 20 + struct.pack(
        "<II", state, zlib.crc32(raw, 0xFFFFFFFF))
    with open(path, "r+b") as file:
        file.seek(OTADATA + idx * 0x1000)
        file.write(record)


def device(path, *options, **kwargs):
    return subprocess.run([PORTA, "device", path, "--max-time", "30",
                           *options], capture_output=True, text=True,
                          timeout=120, check=False, **kwargs)


def report(path, *options, **kwargs):
    done = device(path, "--json", *options, **kwargs)
    return done, json.loads(done.stdout)


def reasons(told):
    return [boot["reason"] for boot in told["resets"]]


def slots(told):
    return [boot["slot"] for boot in told["resets"]]


# --- what ends a boot ----------------------------------------------------------


@pytest.mark.parametrize("app,status", [("exit7", 7), ("exit0", 0)])
def test_ends_with_the_status_of_the_application(flash, app, status):
    done, told = report(flash(app))
    assert done.returncode == status
    assert told["ended"] == "exit" and told["exit_status"] == status
    assert told["boots"] == 1 and told["slot"] == "ota_0"


def test_console_is_standard_output(flash):
    done = device(flash("exit0"))
    assert done.stdout.splitlines()[-1] == "ota_0"
    assert "Loaded app from partition at offset 0x20000" in done.stdout
    assert "board: reset (power-on), boot 1" in done.stderr


def test_crash_is_a_panic_and_boots_again(flash):
    done, told = report(flash("abort"), "--boots", "3")
    assert done.returncode == 0
    assert told["ended"] == "boots"
    assert reasons(told) == ["power-on", "panic", "panic"]
    assert "signal 6" in done.stderr


def test_killed_application_is_a_power_on(flash):
    _, told = report(flash("killed"), "--boots", "2")
    assert reasons(told) == ["power-on", "power-on"]


def test_restart_is_a_software_reset(flash):
    done, told = report(flash("restart"))
    assert done.returncode == 5
    assert reasons(told) == ["power-on", "software"]
    assert "reset reason 3" in done.stderr
    assert done.stderr.count("shutting down") == 1


def test_deep_sleep(flash):
    start = time.monotonic()
    _, told = report(flash("sleep"), "--boots", "9")
    assert time.monotonic() - start >= 0.2
    assert reasons(told) == ["power-on", "deep-sleep"]
    assert told["ended"] == "idle"  # a board that counts boots has seen all


def test_deep_sleep_without_an_end(flash):
    _, told = report(flash("sleep"), "--max-time", "3")
    assert (told["ended"], told["boots"]) == ("time", 2)


def test_max_time_ends_an_application(flash):
    start = time.monotonic()
    done = subprocess.run([PORTA, "device", flash("idle"), "--max-time",
                           "0.3", "--json"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert time.monotonic() - start >= 0.3
    assert done.returncode == 0
    assert json.loads(done.stdout)["ended"] == "time"


def test_crash_loop_slows_down(flash):
    start = time.monotonic()
    _, told = report(flash("abort"), "--boots", "6")
    # Boots 4 to 6 come 50, 100 and 200 ms late.
    assert told["boots"] == 6
    assert time.monotonic() - start >= 0.35


# --- what nothing can come after -------------------------------------------------


def test_nothing_boots(flash):
    done, told = report(flash())
    assert done.returncode == 1
    assert told["ended"] == "no_boot" and told["boots"] == 1
    assert told["error"]["stage"] == "boot"
    assert "nothing boots" in told["error"]["message"]


def test_image_that_is_no_program(flash):
    done, told = report(flash("junk"))
    assert done.returncode == 1
    assert "does not start" in told["error"]["message"]


def test_other_chip(flash):
    done = device(flash("exit7"), "--chip", "esp32")
    assert done.returncode == 1
    assert "chip esp32" in done.stderr


def test_missing_file(tmp_path):
    done = device(tmp_path / "none.bin")
    assert done.returncode == 1
    assert "porta flash create" in done.stderr


# --- rollback ------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["abort", "junk"])
def test_new_image_that_fails_is_rolled_back(flash, bad):
    path = flash("exit7", bad, [(1, VALID), (2, NEW)])
    done, told = report(path, "--boots", "5")
    assert done.returncode == 7
    assert slots(told) == ["ota_1", "ota_0"]
    assert reasons(told) == ["power-on", "panic"]
    explained = json.loads(subprocess.run(
        [PORTA, "explain", "--json", path], capture_output=True, text=True,
        check=True).stdout)
    assert [rec["state"] for rec in explained["otadata"]] == [
        "VALID", "ABORTED"]


def test_without_rollback_it_is_tried_again(flash):
    path = flash("exit7", "abort", [(1, VALID), (2, NEW)])
    _, told = report(path, "--boots", "3", "--no-rollback")
    assert slots(told) == ["ota_1"] * 3


# --- power -----------------------------------------------------------------------


def test_power_cut_before_the_first_operation_changes_nothing(flash):
    path = flash("exit7", "exit0", [(1, VALID), (2, NEW)])
    before = path.read_bytes()
    done, told = report(path, "--power-cut", "1")
    assert done.returncode == 0
    assert told["ended"] == "power_cut" and told["flash_ops"] == 1
    assert path.read_bytes() == before
    assert "power cut" in done.stderr


def test_every_power_cut_of_a_first_boot_is_survived(flash):
    path = flash("exit7", "exit0", [(1, VALID), (2, NEW)])
    before = path.read_bytes()
    cuts = 0
    while True:
        path.write_bytes(before)
        done, told = report(path, "--power-cut", str(cuts + 1))
        if told["ended"] != "power_cut":
            break
        cuts += 1
        done, told = report(path)
        # Before the mark it is tried, after it it is given up.
        assert (done.returncode, told["slot"]) in [(0, "ota_1"), (7, "ota_0")]
    assert cuts >= 3
    assert done.returncode == 0 and told["slot"] == "ota_1"


# --- life and death ----------------------------------------------------------------


def start_idle(path, *options):
    board = subprocess.Popen([PORTA, "device", path, "--max-time", "60",
                              *options], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    board.forked = []
    for line in board.stdout:
        if line.startswith("forked "):
            board.forked.append(int(line.split()[1]))
        if line == "up\n":
            return board
    raise AssertionError(board.stderr.read())


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def is_locked(path):
    done = device(path, "--max-time", "0.1")
    return done.returncode == 1 and "in use by another process" in done.stderr


def test_flash_is_locked_while_the_board_lives(flash):
    path = flash("idle")
    board = start_idle(path)
    assert is_locked(path)
    board.send_signal(signal.SIGTERM)
    board.communicate(timeout=30)
    assert board.returncode == 0
    assert not is_locked(path)


def test_application_dies_with_the_board(flash):
    path = flash("idle")
    board = start_idle(path)
    board.kill()
    board.wait(timeout=30)
    # The application held the other end of the pipe; so the end of file says
    # that it is gone, and with it the lock.
    assert board.stdout.read() == ""
    board.stdout.close()
    board.stderr.close()
    again = start_idle(path)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=30)
    assert again.returncode == 0


@pytest.mark.parametrize("app", ["forks", "fork"])
def test_what_it_forked_ends_with_the_board(flash, app):
    path = flash(app)
    board = start_idle(path)
    assert is_alive(board.forked[0]) and is_locked(path)
    board.send_signal(signal.SIGTERM)
    board.communicate(timeout=30)
    assert board.returncode == 0
    assert not is_alive(board.forked[0])
    assert not is_locked(path)


def test_what_it_forked_ends_with_its_boot(flash):
    path = flash("forks_and_dies")
    done = device(path, "--boots", "2", "--no-rollback")
    forked = [int(line.split()[1]) for line in done.stdout.splitlines()
              if line.startswith("forked ")]
    assert done.returncode == 0 and len(forked) == 2
    assert not any(is_alive(pid) for pid in forked)
    assert not is_locked(path)


def test_what_it_forked_has_no_flash_once_the_board_was_killed(flash):
    path = flash("fork")
    board = start_idle(path)
    board.kill()
    board.wait(timeout=30)
    board.stdout.read()  # closed by whoever holds it, on its way out
    for _ in range(100):
        if not is_locked(path) and not is_alive(board.forked[0]):
            break
    else:
        raise AssertionError("it lives, or holds the flash")
    board.stdout.close()
    board.stderr.close()


@pytest.mark.parametrize("arg", ["", "4", "4=", "4=2", "=1", "x=1", "4=@",
                                 "-1=0"])
def test_input_that_is_none(flash, arg):
    done = device(flash("exit0"), "--input", arg)
    assert done.returncode == 2 and \
        "is not PIN=0, PIN=1, PIN=@FILE or PIN=signal" in done.stderr


def test_keep_elf(flash):
    path = flash("exit7")
    assert device(path, "--keep-elf").returncode == 7
    files = list(path.with_name(path.name + ".run").iterdir())
    assert len(files) == 1 and files[0].name.startswith("ota_0-")
    assert subprocess.run([files[0]], check=False).returncode == 7


# --- applications of the runtime ------------------------------------------------


def test_runtime_of_applications(flash):
    done, told = report(flash("tasks"), "--boots", "1")
    assert "all is well" in done.stderr
    assert done.returncode == 0 and told["ended"] == "idle"


def test_application_without_a_board():
    done = subprocess.run([APPS / "test-tasks.elf"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 2
    assert "porta device" in done.stderr


def test_images_fit_slots_of_a_megabyte():
    if SANITIZED:
        pytest.skip("sanitizers make programs larger")
    for image in APPS.glob("*.bin"):
        assert image.stat().st_size < 768 * 1024, image.name
