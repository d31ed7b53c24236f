"""docs/differences.md: what is said there is pinned by a test. The list is
differences.txt."""
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def rows():
    for line in (ROOT / "docs/differences.md").read_text().splitlines():
        cells = [c.strip() for c in line.split("|")]
        if line.startswith("| ") and cells[1] != "here":
            yield cells[1]


def entries():
    path = pathlib.Path(__file__).with_name("differences.txt")
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            yield tuple(part.strip() for part in line.split(" | "))


@pytest.mark.parametrize("row", rows())
def test_row_is_pinned(row):
    found = [e for e in entries() if row.startswith(e[0])]
    assert found, f"no test is named in differences.txt for: {row}"
    _, name, text = found[0]
    assert text in (ROOT / "test" / name).read_text(), f"{name}: {text}"


@pytest.mark.parametrize("entry", entries(), ids=lambda e: e[0][:40])
def test_entry_is_of_a_row(entry):
    assert len(entry) == 3
    assert sum(row.startswith(entry[0]) for row in rows()) == 1, entry[0]
