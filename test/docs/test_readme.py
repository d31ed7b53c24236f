"""The README does what it says: its first program and its commands, run as
they stand."""

import re
import subprocess

import pages
import rawimage
from conftest import BIN, strangers

PAGE = pages.Page("README.md")
PORTUGUESE = pages.Page("README.pt-BR.md")


@strangers
def test_the_first_program_updates_itself(reader):
    """Installed by the page's own lines, but for the build, which is there."""
    install = PAGE.block("A first program", "sh", 0)
    assert install.startswith("make\ncmake --install build ")
    install = install.replace("make\n", "", 1).replace(
        "--install build ", f"--install '{BIN.parent}' ")
    (reader.folder / "empty").mkdir()
    reader.write("empty/hello.c", PAGE.block("A first program", "c"))
    out = reader.run(install, "cd empty\n",
                     PAGE.block("A first program", "sh", 1),
                     PAGE.block("A first program", "sh", 2),
                     PAGE.block("A first program", "sh", 3))
    assert (reader.folder / ".local/bin/porta").exists()
    assert "version 1 runs from factory" in out
    assert "version 2 runs from ota_0" in out
    assert "boots ota_0" in out and "hello 2" in out


def test_the_program_has_thirty_lines():
    assert PAGE.block("A first program", "c").count("\n") <= 30


def test_the_commands_for_real_chips(reader):
    (reader.folder / "firmware.bin").write_bytes(rawimage.image(version="1"))
    (reader.folder / "www").mkdir()
    (reader.folder / "www/new.bin").write_bytes(rawimage.image(version="2"))
    out = reader.run("porta serve www --quiet &\nsleep 1\n",
                     PAGE.block("Flash files of real chips"))
    assert "esp32" in out and "boots ota_0" in out
    assert "ota_0 is confirmed" in out


def test_every_folder_it_names_exists():
    for line in PAGE.block("Where things are", "text").splitlines():
        for name in line[:20].split():
            assert (pages.ROOT / name).is_dir(), name
    for name in re.findall(r"`(src/[\w/]+\.c)`", PAGE.text):
        assert (pages.ROOT / name).is_file(), name


def test_every_folder_of_ours_is_named():
    named = {name.split("/")[0] for line in
             PAGE.block("Where things are", "text").splitlines()
             for name in line[:20].split()}
    ours = {p.name for p in pages.ROOT.iterdir() if p.is_dir() and
            not p.name.startswith((".", "build"))}
    assert ours <= named, ours - named


def test_an_image_is_accepted_where_it_says():
    """README, file, line: nothing else in the verifier writes it."""
    name, function = re.search(
        r"`(src/image/\w+\.c)`, and accepted by `(\w+)\(\)`",
        PAGE.text).groups()
    text = (pages.ROOT / name).read_text()
    lines = re.findall(r"verdict = VERDICT_ACCEPT;", text)
    body = text[text.index(f"\nesp_err_t {function}("):].split("\n}\n")[0]
    assert len(lines) == 1 and lines[0] in body


def test_it_says_the_same_in_portuguese():
    """The blocks but for the tree, the links, the rows of the tables."""
    ours = [b.text for b in PAGE.all("sh", "c", "text")
            if b.heading != "Where things are"]
    assert len(ours) > 5
    assert [b.text for b in PORTUGUESE.all("sh", "c", "text")] == ours
    tables = [len(re.findall(r"^\|", page.text, re.M))
              for page in (PAGE, PORTUGUESE)]
    assert tables[0] == tables[1]
    levels = [re.findall(r"^#+ ", re.sub(r"(?s)^```.*?^```", "", page.text,
                                         flags=re.M), re.M)
              for page in (PAGE, PORTUGUESE)]
    assert levels[0] == levels[1]


def test_the_demo_it_shows():
    shown = PAGE.block("Two commands", "text")
    said = subprocess.run([BIN / "porta", "demo"], capture_output=True,
                          text=True, check=False).stdout.splitlines()[:-1]
    assert len(said) == len(shown.splitlines())
    for ours, line in zip(shown.splitlines(), said):
        assert line.startswith(ours), (ours, line)
