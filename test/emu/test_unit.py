"""The unit tests of pure modules, on the board: the same files as on Linux."""

import os
import pathlib

import pytest

from conftest import APPS

SOURCE = pathlib.Path(os.environ["PORTA_SOURCE"])
TESTS = sorted(p.stem for p in APPS.glob("unit-*.bin"))


@pytest.mark.parametrize("name", TESTS)
def test_of_module_holds_on_the_board(board, name):
    board.make(ota_0=name)
    boots = board.run("--no-network", boots=1)
    assert "UNIT" in boots.console, boots
    assert boots.figure("failed") == 0, boots
    assert boots.figure("passed") > 0


def test_none_is_forgotten():
    assert len(TESTS) >= 28
