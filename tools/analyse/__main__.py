"""The analysers: run as `/usr/bin/python3 tools/analyse BUILD [--jobs N]
[TOOL...]`.

Reads BUILD/compile_commands.json and shows each C file of ours, but for the
tests, to clang-tidy, cppcheck and gcc -fanalyzer. None of them may say
anything. What they are not asked, or are wrong about, is written down with its
reason: .clang-tidy, cppcheck.txt and gcc.txt beside this file, and NOLINT or
cppcheck-suppress where it stands.

One that is not installed is skipped and says so. Closes with
"N passed, N failed", a tool being one.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = ("src", "port", "apps", "compat", "torture", "fuzz", "bench",
        "examples")


def our_commands(build, root):
    """One command for each of our C files, of those that compile it."""
    found = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(command["file"])
        if path.suffix == ".c" and path.is_relative_to(root) and \
                path.relative_to(root).parts[0] in OURS:
            found.setdefault(str(path.relative_to(root)), command)
    return found


def reasons(path):
    """Lines `FILE WORD`, each below a comment that says why: {file: [word]}.
    The file * is all of them."""
    table, why = {}, False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            why = False
        elif line.startswith("#"):
            why = True
        elif not why:
            sys.exit(f"{path}:{number}: no comment above says why")
        else:
            name, word = line.split()
            table.setdefault(name, []).append(word)
    return table


def quiet(command, cwd=None):
    """Runs it; what it said if it failed, and not what it said otherwise."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return ""
    return (done.stdout + done.stderr).strip() or f"{command[0]}: no word"


def each(files, jobs, job):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from (said for said in pool.map(job, files.items()) if said)


def clang_tidy(files, build, jobs):
    """what .clang-tidy asks"""
    return each(files, jobs, lambda item: quiet(
        ["clang-tidy", "--quiet", "-p", str(build), item[1]["file"]]))


def cppcheck(files, build, jobs):
    """all at once"""
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "compile_commands.json"
        project.write_text(json.dumps(list(files.values())))
        listed = pathlib.Path(folder) / "suppressed"
        listed.write_text("".join(
            f"{word}:{ROOT / name}\n" for name, words
            in reasons(HERE / "cppcheck.txt").items() for word in words))
        said = quiet(["cppcheck", f"--project={project}", f"-j{jobs}",
                      "--enable=warning,performance,portability",
                      "--std=c11", "--inline-suppr", "--quiet",
                      f"--suppressions-list={listed}", "--error-exitcode=1"])
    yield from [said] if said else []


def gcc(files, build, jobs):
    """the command of the build, with -fanalyzer; nothing is written"""
    not_asked = reasons(HERE / "gcc.txt")

    def analyse(item):
        name, command = item
        words = shlex.split(command["command"])
        start = next(i for i, word in enumerate(words) if word[0] == "-")
        out = words.index("-o")
        return quiet(["gcc", *words[start:out], *words[out + 2:], "-fanalyzer",
                      *not_asked.get("*", []), *not_asked.get(name, []),
                      "-Werror", "-o", "/dev/null"], command["directory"])
    return each(files, jobs, analyse)


TOOLS = {"clang-tidy": clang_tidy, "cppcheck": cppcheck, "gcc": gcc}


def main():
    parser = argparse.ArgumentParser(prog="tools/analyse")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="only files with this text in their names")
    parser.add_argument("tools", nargs="*", metavar="TOOL",
                        help=", ".join(TOOLS))
    args = parser.parse_intermixed_args()
    unknown = set(args.tools) - set(TOOLS)
    if unknown:
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    build = args.build.resolve()
    found = our_commands(build, args.root.resolve())
    files = {name: found[name] for name in found if args.only in name}
    if not files:
        sys.exit(f"no file of ours in {build}/compile_commands.json")
    passed = failed = 0
    for tool in args.tools or TOOLS:
        if not shutil.which(tool):
            print(f"skipped {tool}: not installed; `make setup` does it")
            continue
        bad = 0
        for said in TOOLS[tool](files, build, args.jobs):
            print(said, flush=True)
            bad += 1
        print(f"{'FAILED' if bad else 'ok    '} {tool}: {len(files)} files",
              flush=True)
        passed, failed = passed + (not bad), failed + (bad != 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
