"""Each analyser can fail, says so when it is not there, and is told to be quiet
only with a reason."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = "int twice(int a);\nint twice(int a)\n{\n    return 2 * a;\n}\n"
# What each of them is there for, and a compiler says nothing about.
BAD = {
    "clang-tidy": """#include <stdlib.h>
int first(const int *table);
int first(const int *table)
{
    if (table)
        return table[0];
    return table[1];
}
""",
    "cppcheck": """int last(void);
int last(void)
{
    int table[4] = { 1, 2, 3, 4 }, sum = 0;
    for (int i = 0; table[i] && i < 4; i++)
        sum += table[i];
    return sum;
}
""",
    "gcc": """#include <stdlib.h>
void twice(void *p);
void twice(void *p)
{
    free(p);
    free(p);
}
""",
}


def analyse(folder, text, *words, **more):
    path = folder / "src/x.c"
    path.parent.mkdir()
    path.write_text(text)
    shutil.copy(ROOT / ".clang-tidy", folder)
    (folder / "compile_commands.json").write_text(json.dumps([{
        "directory": str(folder), "file": str(path),
        "command": f"cc -std=c11 -O2 -Wall -o x.o -c {path}"}]))
    return subprocess.run(
        [sys.executable, "-B", ROOT / "tools/analyse", folder, "--root",
         folder, *words], capture_output=True, text=True, check=False, **more)


@pytest.mark.parametrize("tool", BAD)
@pytest.mark.parametrize("good", [True, False])
def test_finds_defects(tmp_path, tool, good):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    done = analyse(tmp_path, GOOD if good else BAD[tool], tool)
    assert done.returncode == (0 if good else 1), done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == ("1 passed, 0 failed" if good else "0 passed, 1 failed")
    assert good or "src/x.c" in done.stdout


def test_none_of_them_is_there(tmp_path):
    done = analyse(tmp_path, GOOD, env={**os.environ, "PATH": str(tmp_path)})
    assert done.stdout.count("skipped") == 3, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "0 passed, 0 failed"


@pytest.mark.parametrize("text, whole", [
    ("# of its own\na.c word\n", True), ("a.c word\n", False),
    ("# for the first alone\na.c word\n\nb.c word\n", False)])
def test_a_suppression_has_a_reason(tmp_path, text, whole):
    spec = importlib.util.spec_from_file_location(
        "analyse", ROOT / "tools/analyse/__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "list.txt"
    path.write_text(text)
    if whole:
        assert module.reasons(path) == {"a.c": ["word"]}
    else:
        with pytest.raises(SystemExit):
            module.reasons(path)


def sources(*ends):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True,
                            capture_output=True, check=False).stdout
    return [ROOT / name for name in listed.split("\0") if name.endswith(ends)]


def test_each_place_says_why():
    """A comment with NOLINT has a sentence of its own; a warning that a build
    file turns off has one close above."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: git lists the sources")
    bare, places = [], 0
    for path in sources(".c", ".h"):
        text = path.read_text()
        for comment in re.findall(r"/\*(?:(?!\*/).)*NOLINT.*?\*/", text, re.S):
            places += 1
            words = re.sub(r"NOLINT\w*(\(.*?\))?", "", comment).split()
            if len(words) < 5:
                bare.append(f"{path}: {comment}")
    for path in sources("CMakeLists.txt", ".cmake"):
        lines = path.read_text().splitlines()
        for i, line in enumerate(lines):
            if "-Wno-" in line.partition("#")[0]:
                places += 1
                if not any(x.lstrip().startswith("#")
                           for x in lines[max(0, i - 5):i]):
                    bare.append(f"{path}:{i + 1}: {line}")
    assert places > 10 and not bare, "\n".join(bare)
