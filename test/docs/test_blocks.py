"""Every block of every page is held by something. `test_blocks.py list`
prints by what."""

import re
import sys

import pages

MAKE = re.compile(r"(?m)^make( [A-Z_]+=\S+)*( [a-z-]+)?( +#.*| {2,}.*)?$")


def targets():
    return set(re.findall(r"(?m)^([a-z-]+):(?!=)",
                          (pages.ROOT / "Makefile").read_text()))


def is_make(block):
    """Nothing but targets of the Makefile, each with what it is for."""
    lines = [line for line in block.text.splitlines() if line]
    found = [MAKE.fullmatch(line) for line in lines]
    return all(found) and {f[2].strip() for f in found if f[2]} <= targets()


def holders():
    """{(page, line): by what}"""
    held = {}
    for path in sorted((pages.ROOT / "test").rglob("*.py")):
        for page, line, _ in pages.held_by(path):
            held.setdefault((page, line), str(path.relative_to(pages.ROOT)))
    return held


def how(block, held):
    """A sentence; None: nobody holds it."""
    if block.why:
        return f"not run: {block.why}"
    if (block.page.name, block.line) in held:
        return held[block.page.name, block.line]
    return "targets of the Makefile" if is_make(block) else None


def rows():
    held = holders()
    return [(block, how(block, held))
            for page in pages.every() for block in page.fences]


def test_every_block_is_held():
    left = [block for block, by in rows() if by is None]
    assert not left, "\n".join(
        [f"{b}: no test runs it; see test/docs/pages.py" for b in left])


def test_every_block_is_found():
    """The parser sees as many as there are fences; nothing is indented, which
    is a block that nobody would see."""
    for page in pages.every():
        ticks = len(re.findall(r"(?m)^ *```", page.text))
        assert ticks == 2 * len(page.fences), page.name
        rest = re.sub(r"(?ms)^```.*?^```$", "", page.text)
        assert not re.search(r"\n\n {4}[^\s*-]", rest), page.name


def test_a_reason_is_a_reason():
    marks = [m for page in pages.every() for m in
             re.findall(r"(?ms)^<!-- not run: (.*?) -->", page.text)]
    assert len(marks) == len([b for b, _ in rows() if b.why])
    assert all(len(mark.split()) > 2 for mark in marks)


def test_new_block_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "x.md").write_text("# A\n\n```sh\nporta new\n```\n\n"
                                   "<!-- not run: needs a board -->\n\n"
                                   "```sh\nboard\n```\n\n```\nmake test\n```\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    page = pages.Page("x.md")
    monkeypatch.undo()
    assert [how(b, {}) for b in page.fences] == [
        None, "not run: needs a board", "targets of the Makefile"]


if __name__ == "__main__" and sys.argv[1:] == ["list"]:
    for one, by in rows():
        print(f"{one}: {by}")
