"""tree.py - the files of the work tree, and C without comments and strings."""
import functools
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = {".bin", ".der", ".gz", ".png", ".svg", ".pcap"}
TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


class Tree:
    """The files that are, or will be, tracked below a root."""

    def __init__(self, root=ROOT):
        self.root = pathlib.Path(root)
        self.names = sorted(n for n in set(self.listed())
                            if (self.root / n).is_file())

    def listed(self):
        """What git would track; without git, what is not built or fetched."""
        command = ["git", "-C", str(self.root), "ls-files", "-co",
                   "--exclude-standard"]
        if shutil.which("git"):
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode == 0:
                return run.stdout.splitlines()
        names = (str(p.relative_to(self.root)) for p in self.root.rglob("*"))
        return [n for n in names if not re.match(r"build|\.deps|\.git/", n)]

    def c_files(self, *folders):
        """The C files and headers below the folders, all without folders."""
        return [n for n in self.names if n.endswith((".c", ".h")) and
                (not folders or n.startswith(tuple(f + "/" for f in folders)))]

    def text_files(self):
        for name in self.names:
            if pathlib.Path(name).suffix in BINARY or "/corpus/" in name:
                continue
            data = (self.root / name).read_bytes()
            if b"\0" not in data:
                yield name, data.decode("utf-8", "replace")

    @functools.lru_cache(maxsize=None)
    def read(self, name):
        return (self.root / name).read_text("utf-8", "replace")

    @functools.lru_cache(maxsize=None)
    def code(self, name):
        """The file with comments and string contents blanked; lines stay."""
        return TOKEN.sub(blank, self.read(name))

    @functools.lru_cache(maxsize=None)
    def uncommented(self, name):
        """The file with comments blanked; strings and lines stay."""
        return TOKEN.sub(lambda m: m[0] if m[0][0] in "\"'" else blank(m),
                         self.read(name))

    def allowed(self, name, line, rule):
        """`lint-ok: rule, reason` on the line or on one of the two above."""
        lines = self.read(name).splitlines()[max(0, line - 3):line]
        return any(re.search(rf"lint-ok: {rule}, \S", text) for text in lines)


def blank(match):
    text = match[0]
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
