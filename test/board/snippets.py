"""snippets.py PAGE FOLDER: writes the C of a page's ```c blocks, each to a
file of its own, FOLDER/1.inc and so on, for a test that compiles them."""
import pathlib
import re
import sys

page, folder = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
blocks = re.findall(r"^```c\n(.*?)^```", page.read_text(encoding="utf-8"),
                    re.S | re.M)
for number, block in enumerate(blocks, 1):
    (folder / f"{number}.inc").write_text(block, encoding="utf-8")
