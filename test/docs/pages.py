"""The pages of the documentation and their blocks.

A test names the blocks that it runs, as in

    PAGE = pages.Page("docs/ci.md")
    PAGE.block("A scenario", "toml")      # the text of a heading's first one
    PAGE.blocks("From nginx")             # of all its shell blocks
    PAGE.all("sh", "c")                   # all blocks of a page, in order

and test_blocks.py reads these calls, as they stand in the tests, to find the
blocks that nobody runs. A comment <!-- not run: why --> directly before a
block says that it cannot be."""

import ast
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PART = re.compile(
    r"^(?P<level>#+) (?P<heading>[^\n]*)\n|"
    r"^(?:<!-- not run: (?P<why>.*?) -->\n+)?"
    r"(?:`(?P<name>[\w./-]+)`:\n+)?"
    r"^(?P<tick>```)(?P<kind>\w*)\n(?P<text>.*?)^```$", re.S | re.M)


class Block:
    """A fenced block: its page, heading, kind, number among those of its
    heading and kind, text; the file that it is; why it is not run."""

    def __init__(self, page, heading, part):
        self.page, self.heading = page, heading
        self.kind, self.text = part["kind"], part["text"]
        self.file, self.why = part["name"], part["why"]
        self.line = page.text.count("\n", 0, part.start("tick")) + 1
        self.number = len(page.found(heading, self.kind))

    def __repr__(self):
        return f"{self.page.name}:{self.line} {self.kind or 'no kind'}"


class Page:
    def __init__(self, name):
        self.name, self.path = name, ROOT / name
        self.text = self.path.read_text(encoding="utf-8")
        self.fences, heading = [], ""
        for part in PART.finditer(self.text):
            if part["level"]:
                heading = part["heading"]
            else:
                self.fences.append(Block(self, heading, part))

    def found(self, heading, kind):
        return [b for b in self.fences
                if (b.heading, b.kind) == (heading, kind)]

    def blocks(self, heading, kind="sh"):
        texts = [b.text for b in self.found(heading, kind)]
        assert texts, f"{self.name}: there is no {kind} below '{heading}'"
        return texts

    def block(self, heading, kind="sh", number=0):
        return self.blocks(heading, kind)[number]

    def all(self, *kinds):
        return [b for b in self.fences if b.kind in kinds]


def every():
    """Every page: what ends in .md in the repository."""
    said = subprocess.run(["git", "-C", ROOT, "ls-files", "-co",
                           "--exclude-standard", "*.md"], text=True,
                          capture_output=True, check=False)
    names = said.stdout.split() or [
        str(p.relative_to(ROOT)) for folder in ("docs", "test", "examples",
                                                "fuzz")
        for p in (ROOT / folder).rglob("*.md")] + [
        p.name for p in ROOT.glob("*.md")]
    return [Page(name) for name in sorted(names)]


def literals(call):
    """The arguments of a call; None where one is not written out."""
    try:
        return [ast.literal_eval(a) for a in call.args], {
            k.arg: ast.literal_eval(k.value) for k in call.keywords}
    except ValueError:
        return None, None


def asked(page, method, args, more):
    """The blocks that a call gives."""
    if method == "all":
        return page.all(*args)
    kind = args[1] if len(args) > 1 else more.get("kind", "sh")
    found = page.found(args[0], kind)
    if method == "blocks":
        return found
    number = args[2] if len(args) > 2 else more.get("number", 0)
    return found[number:number + 1]


def held_by(path):
    """[(page, line, kind)] of what a test file asks for."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text if "pages.Page(" in text else "")
    mine = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) \
                and ast.unparse(node.value.func) == "pages.Page":
            mine[node.targets[0].id] = Page(node.value.args[0].value)
    held = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and \
                isinstance(node.func, ast.Attribute) and \
                isinstance(node.func.value, ast.Name) and \
                node.func.value.id in mine and \
                node.func.attr in ("all", "block", "blocks"):
            args, more = literals(node)
            assert args is not None, \
                f"{path.name}:{node.lineno}: write out which block it is"
            found = asked(mine[node.func.value.id], node.func.attr, args, more)
            assert found, f"{path.name}:{node.lineno}: there is no such block"
            held += [(b.page.name, b.line, b.kind) for b in found]
    return held
