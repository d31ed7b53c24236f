"""docs/formats.md names readers and fuzzers that exist, and no fuzzer is left
out."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs/formats.md").read_text().splitlines()
        if line.startswith("|")]
READERS = [row for row in ROWS if len(row) == 5 and "`" in row[2]]


def test_readers_exist():
    assert len(READERS) > 15
    for _, _, files, _, _ in READERS:
        names = re.findall(r"`([\w/.]+)`", files)
        folder = pathlib.Path(names[0]).parent
        for name in names:
            path = name if "/" in name else folder / name
            assert (ROOT / path).is_file(), name


def test_every_fuzzer_is_in_the_table():
    declared = {name for path in (ROOT / "fuzz").glob("*.cmake")
                for name in re.findall(r"porta_fuzz\((\w+)",
                                       path.read_text())}
    named = {name for row in READERS
             for name in re.findall(r"`(\w+)`", row[3])}
    assert declared == named
