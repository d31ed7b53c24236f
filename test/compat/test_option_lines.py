"""Lines of sdkconfig.defaults that nobody would write: each is read, noted or
refused with a sentence, whatever its bytes are."""
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["PORTA_SOURCE"], "tools", "project"))
import options  # noqa: E402
from failure import Failure  # noqa: E402

SEEDS = ["CONFIG_A=y", "# CONFIG_A is not set", 'CONFIG_URL="https://h/x"',
         " CONFIG_A=y", "CONFIG_N=0x10", "# words", "", "CONFIG_A", "=",
         'CONFIG_S="a\\"b\\\\"', "CONFIG_A=y # why", "CONFIG_=", "\tX=1"]
PIECES = ["CONFIG_", "=", '"', "\\", "#", " is not set", " ", "\t", "\x00",
          "\u2028", "y", "n", "-1", "0x", "\ud7ff", "'", "$(X)", "\r"]


def mutated(rnd):
    line = rnd.choice(SEEDS)
    for _ in range(rnd.randrange(6)):
        at = rnd.randrange(len(line) + 1)
        end = min(len(line), at + rnd.randrange(4))
        line = line[:at] + rnd.choice(PIECES) + line[end:]
    return line


@pytest.mark.parametrize("seed", range(4))
def test_any_line_is_read_or_refused(seed, capsys):
    rnd = random.Random(seed)
    read = refused = 0
    for _ in range(5000):
        line = mutated(rnd)
        try:
            got = options.parse_line(line, "f:1")
        except Failure as wrong:
            assert str(wrong).startswith("f:1: "), line
            refused += 1
            continue
        said = capsys.readouterr().out
        if got is None:
            assert not line.strip() or line[0] == "#" or said, line
        else:
            name, text = got
            assert name and name in line and (text in line or text == "n")
            assert not line[0].isspace()
            read += 1
    assert read > 100 and refused > 100


@pytest.mark.parametrize("seed", range(2))
def test_any_text_is_taken_whole_or_refused(seed):
    rnd = random.Random(seed)
    taken = 0
    for _ in range(5000):
        text = "".join(rnd.choice(PIECES + ["a", "b"])
                       for _ in range(rnd.randrange(8)))
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        value = options.Value("S", quoted, "f:1")
        assert options.unquote(value) == text
        try:
            options.unquote(options.Value("S", text, "f:1"))
            taken += 1
        except Failure as wrong:
            assert "quotes" in str(wrong)
    assert taken < 1000
