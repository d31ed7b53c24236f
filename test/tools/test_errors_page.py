"""docs/errors.md has every code, with its number, and is right about which of
them never come."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| `(ESP_\w+)` \| (\S+) \| (.*) \|$",
                  (ROOT / "docs/errors.md").read_text(), re.M)
NAMES = ROOT / "src/base/err.c"
CODE = "".join(path.read_text() for folder in ("src", "port", "compat")
               for path in (ROOT / folder).rglob("*.c") if path != NAMES)


def test_it_has_every_code():
    ours = re.findall(r"ROW\((\w+)\),", NAMES.read_text())
    want = {name for name in ours if not name.endswith("_BASE")}
    assert len(want) > 80 and {name for name, _, _ in ROWS} == want


def test_the_numbers(tmp_path):
    source = tmp_path / "numbers.c"
    source.write_text('#include "esp_err.h"\n' + "".join(
        f'_Static_assert({name} == {number}, "{name}");\n'
        for name, number, _ in ROWS))
    done = subprocess.run(["cc", "-fsyntax-only", "-I", ROOT / "include",
                           source], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name, number, text", ROWS)
def test_what_never_comes_is_nowhere(name, number, text):
    used = re.search(rf"\b{name}\b", CODE) is not None
    assert used != text.startswith("never returned here"), (number, text)
