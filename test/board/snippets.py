"""snippets.py FOLDER: writes the C of docs/rollback.md, each block to a file of
its own, FOLDER/1.inc and so on, for a program that compiles them."""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "docs"))
import pages  # noqa: E402 (found by the line above)

PAGE = pages.Page("docs/rollback.md")

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for number, block in enumerate(PAGE.all("c"), 1):
    (folder / f"{number}.inc").write_text(block.text, encoding="utf-8")
