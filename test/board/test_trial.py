"""Trials on a device: budgets, power, a policy with a diagnostic input, and
what the log says afterwards. Version 2 of one program is on trial in ota_1."""
import json
import os
import signal
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

PORTA = str(Path(os.environ["PORTA_BIN"]) / "porta")
APPS = Path(os.environ["PORTA_BIN"]).parent / "apps"
OTADATA = 0x10000
TABLE = """\
otadata, data, ota,   0x10000, 0x2000
ota_0,   app,  ota_0, 0x20000, 15M
ota_1,   app,  ota_1, , 15M
"""
NEW, VALID = 0, 2


def porta(*args, code=0):
    done = subprocess.run([PORTA, *map(str, args)], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == code, done
    return done


def put_record(path, idx, seq, state):
    raw = struct.pack("<I", seq)
    record = raw + b"\xff" * 20 + struct.pack(
        "<II", state, zlib.crc32(raw, 0xFFFFFFFF))
    with open(path, "r+b") as file:
        file.seek(OTADATA + idx * 0x1000)
        file.write(record)


@pytest.fixture
def flash(tmp_path):
    def make(*options, app="trial"):
        path = tmp_path / "flash.bin"
        table = tmp_path / "table.csv"
        table.write_text(TABLE)
        porta("flash", "create", "-o", path, "--chip", "linux", "--size",
              "32MB", "--table", table,
              "--app", f"ota_0={APPS}/test-{app}-1.bin",
              "--app", f"ota_1={APPS}/test-{app}-2.bin", *options)
        put_record(path, 0, 1, VALID)
        put_record(path, 1, 2, NEW)
        return path
    return make


class Ran:
    def __init__(self, path, inputs):
        args = [arg for level in inputs for arg in ("--input", level)]
        done = porta("device", path, "--json", "--boots", 8, "--max-time", 30,
                     *args)
        told = json.loads(done.stdout)
        self.slots = [boot["slot"] for boot in told["resets"]]
        self.reasons = [boot["reason"] for boot in told["resets"]]
        self.said = done.stderr
        shown = json.loads(porta("flash", "show", path, "--json").stdout)
        self.verdict = shown["verdict"]
        self.states = [rec["state"] for rec in shown["otadata"]]


def test_two_crashes_then_it_is_confirmed(flash):
    ran = Ran(flash("--trial-boots", 3), ["1=1", "4=1"])
    assert ran.slots == ["ota_1"] * 3
    assert ran.reasons == ["power-on", "panic", "panic"]
    assert ran.states == ["VALID", "VALID"]
    assert ran.verdict["outcome"] == "confirmed"
    assert ran.verdict["who"] == "policy"
    assert ran.verdict["resets"] == 2 and ran.verdict["slot"] == "ota_1"
    assert "ota_1 was confirmed by the policy: all conditions" in ran.said


def test_three_crashes_use_the_budget_up(flash):
    path = flash("--trial-boots", 3)
    ran = Ran(path, ["2=1"])
    assert ran.slots == ["ota_1"] * 3 + ["ota_0"]
    assert ran.states == ["VALID", "ABORTED"]
    assert ran.verdict["outcome"] == "given_up"
    assert ran.verdict["who"] == "bootloader"
    assert ran.verdict["reset_reason"] == "panic"
    assert ran.verdict["resets"] == 3
    assert ran.verdict["uptime_ms"] is None
    assert "ota_1 was given up by the bootloader: it was not confirmed" in \
        ran.said
    told = porta("explain", path).stdout
    assert "last verdict: ota_1, by the bootloader: given up" in told
    assert "last reset panic; resets that counted 3, excused 0" in told


def test_without_a_budget_it_is_one_start(flash):
    ran = Ran(flash(), ["1=1", "4=1"])
    assert ran.slots == ["ota_1", "ota_0"]
    assert ran.verdict["resets"] == 1


def test_lost_power_is_excused(flash):
    ran = Ran(flash("--trial-power", 2), ["3=1", "4=1"])
    assert ran.slots == ["ota_1"] * 3
    assert ran.reasons == ["power-on"] * 3
    assert ran.states == ["VALID", "VALID"]
    assert ran.verdict["resets"] == 0 and ran.verdict["power_resets"] == 2


@pytest.mark.parametrize("excused", [0, 1])
def test_but_not_for_ever(flash, excused):
    ran = Ran(flash("--trial-power", excused), ["3=1", "4=1"])
    assert ran.slots == ["ota_1"] * (excused + 1) + ["ota_0"]
    assert ran.verdict["power_resets"] == excused
    assert ran.verdict["resets"] == 1


def test_power_does_not_help_who_crashes(flash):
    ran = Ran(flash("--trial-power", 8), ["2=1"])
    assert ran.slots == ["ota_1", "ota_0"]


def test_the_deadline_passes(flash):
    ran = Ran(flash("--trial-boots", 3), ["4=0"])
    assert ran.slots == ["ota_1", "ota_0"]
    assert ran.reasons == ["power-on", "software"]
    assert ran.states == ["VALID", "INVALID"]
    assert ran.verdict["who"] == "policy"
    assert ran.verdict["conditions"] == 1  # the one that is missing
    assert 200 <= ran.verdict["uptime_ms"] < 20000
    assert "conditions were not met before the deadline" in ran.said


@pytest.mark.parametrize("level,slots", [("1", ["ota_1"]),
                                         ("0", ["ota_1", "ota_0"])])
def test_the_input_is_a_file(flash, tmp_path, level, slots):
    (tmp_path / "pin").write_text(level)
    ran = Ran(flash(), [f"4=@{tmp_path}/pin"])
    assert ran.slots == slots


def page_runs(path, *inputs, tell=None):
    """The program of docs/rollback.md. Once its policy has begun, the board
    is told by a signal."""
    said = []
    args = [arg for level in inputs for arg in ("--input", level)]
    with subprocess.Popen([PORTA, "device", path, "--max-time", "60", *args],
                          text=True, stdout=subprocess.PIPE) as board:
        for line in board.stdout:
            said.append(line)
            if "the policy has begun: ESP_OK" in line and tell:
                board.send_signal(tell)
    told = json.loads(porta("explain", path, "--json").stdout)
    return said[-1], told["verdict"]


def test_the_page_waits_for_a_signal(flash):
    said, verdict = page_runs(flash(app="page"), "4=signal", "5=0",
                              tell=signal.SIGUSR1)
    assert said.startswith("confirmed by the policy")
    assert verdict["conditions"] == 7
    assert 300 <= verdict["uptime_ms"] < 6000


def test_the_page_is_not_told(flash):
    """SIGUSR2 makes low what is low."""
    said, verdict = page_runs(flash(app="page"), "4=signal", "5=0",
                              tell=signal.SIGUSR2)
    assert "given up by the policy: the conditions were not met" in said
    assert verdict["conditions"] == 4


def test_the_page_is_refused_by_its_backend(flash):
    said, verdict = page_runs(flash(app="page"), "4=1", "5=1")
    assert "given up by the policy" in said
    assert (verdict["conditions"], verdict["words"]) == (2, "401 Unauthorized")


@pytest.mark.parametrize("level", ["4=2", "4=", "4=@", "4=signals", "4", "x=1"])
def test_inputs_that_are_none(flash, level):
    done = porta("device", flash(), "--input", level, code=2)
    assert "is not PIN=0, PIN=1, PIN=@FILE or PIN=signal" in done.stderr


def test_what_explain_foretells(flash):
    path = flash("--trial-boots", 2, "--trial-power", 1)

    def step(reason):
        before = json.loads(porta("explain", path, "--json", "--reason",
                                  reason).stdout)
        now = json.loads(porta("reset", path, "--json", "--reason",
                               reason).stdout)
        assert now["boot"] == before["boot"]
        assert now["writes"] == before["writes"]
        return now["boot"], now["writes"][-1]["trial"]

    assert step("software") == ("ota_1", {"resets": 0, "power_resets": 0})
    assert step("brownout") == ("ota_1", {"resets": 0, "power_resets": 1})
    assert step("watchdog") == ("ota_1", {"resets": 1, "power_resets": 1})
    assert step("power-on") == ("ota_0", None)


def test_confirm_and_rollback_say_who(flash):
    path = flash("--trial-boots", 2)
    porta("reset", path)
    porta("confirm", path)
    verdict = json.loads(porta("explain", path, "--json").stdout)["verdict"]
    assert (verdict["outcome"], verdict["who"]) == ("confirmed", "tool")
    porta("rollback", path)
    verdict = json.loads(porta("explain", path, "--json").stdout)["verdict"]
    assert (verdict["outcome"], verdict["who"]) == ("given_up", "tool")
    assert json.loads(porta("explain", path, "--json").stdout)["boot"] == \
        "ota_0"


def test_no_way_back_to_oneself(flash):
    path = flash()
    put_record(path, 0, 4, VALID)  # ota_1, as after a move of house
    put_record(path, 1, 6, VALID)
    done = porta("rollback", path, code=1)
    assert "ota_1 cannot be given up" in done.stderr


def test_a_reset_that_starts_nothing_tells_its_decision(flash):
    path = flash()
    for slot in ("ota_0", "ota_1"):
        porta("flash", "erase", path, slot)
    done = porta("reset", path, "--json", code=1)
    told = json.loads(done.stdout)
    assert told["boot"] is None and told["action"] == "reset"
    assert told["writes"] == [{"record": 1, "state": "ABORTED",
                               "trial": None}]
    assert told["error"]["message"].startswith("nothing boots")


@pytest.mark.parametrize("options", [
    ("--trial-boots", 0), ("--trial-boots", 9), ("--trial-power", 9)])
def test_budgets_have_bounds(flash, tmp_path, options):
    done = porta("flash", "create", "-o", tmp_path / "x", *options, code=2)
    assert f"{options[0]} {options[1]}: it is from" in done.stderr


def test_reasons_have_names(flash):
    done = porta("reset", flash(), "--reason", "moonlight", code=2)
    assert "software, power-on, panic" in done.stderr
