"""The runtime on the board: every line "ok ..." of the project `runtime`, its
log, its restarts and their reasons."""
import re

import pytest

import conftest
from conftest import HERE, Project, device


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtime")
    project = Project(folder, HERE / "runtime")
    project.build(*conftest.roomy(folder, project))
    return device(project.flash, "--boots", "5",
                  env={"PORTA_INPUT_4": "0", "PORTA_INPUT_5": "1",
                       "PORTA_MAC": "02:11:22:33:44:55"}).out


def source_checks():
    """The names of all checks, so that none is passed over in silence."""
    text = "".join(p.read_text() for p in (HERE / "runtime/main").glob("*.c"))
    names = re.findall(r'check\(\s*"([^"]+)"', text)
    if conftest.SANITIZED:  # the sanitizer's heap is not the C library's
        names = [n for n in names if n not in (
            "a block is missed", "until it is given back",
            "the least is remembered")]
    return names


@pytest.mark.parametrize("name", source_checks())
def test_check(said, name):
    assert f"ok {name}\n" in said, said


def test_log_levels_by_tag(said):
    shown = re.findall(r"(?m)^([EWID]) \(\d+\) (\w+): line (\w+)$", said)
    assert shown == [("E", "quiet", "two"), ("D", "loud", "three")], said


def test_resets_and_their_reasons(said):
    order = re.findall(r"(?m)^(reset [\w-]+|handler \w+)$", said)
    assert order == ["reset power-on", "handler second", "handler first",
                     "reset software", "reset deep-sleep",
                     "reset task-watchdog", "reset panic"], said


def test_watchdog_names_who_was_late(said):
    assert re.search(r"(?m)^E \(\d+\) task_wdt: Task watchdog got triggered: "
                     "main did not reset", said), said
