"""compiled.py - what a compiler or clang-format has to decide."""
import concurrent.futures
import os
import re
import subprocess
import tempfile

FORMATTED = ("src", "port", "apps", "compat", "include", "examples", "test",
             "fuzz", "bench", "cmake")
FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wundef", "-Wstrict-prototypes",
         "-Werror"]


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(function, items):
            yield from findings


def check_format(tree, fix=False):
    """clang-format has decided."""
    names = tree.c_files(*FORMATTED)
    share = max(1, -(-len(names) // (os.cpu_count() or 1)))

    def some(files):
        mode = ["-i"] if fix else ["--dry-run", "-Werror"]
        run = subprocess.run(["clang-format", *mode, *files], cwd=tree.root,
                             capture_output=True, text=True)
        found = {}
        for match in re.finditer(r"^(.+?):(\d+):\d+: ", run.stderr, re.M):
            found.setdefault(match[1], int(match[2]))
        for name, line in found.items():
            yield name, line, "not as clang-format has it: make format"
        if run.returncode and not found:
            yield files[0], 1, f"clang-format: {run.stderr.strip()}"

    yield from in_parallel(some, [names[i:i + share]
                                  for i in range(0, len(names), share)])


def include_flags(tree, work):
    """The include path of a build, with cfg.h as the host has it."""
    template = tree.read("cmake/cfg.h.in")
    with open(os.path.join(work, "cfg.h"), "w", encoding="utf-8") as out:
        out.write(re.sub(r"@\w+@", "2", template))
    folders = ["include", "port/include", "src", "cmake", work]
    folders += [str(p) for p in sorted(tree.root.glob("compat/include"))]
    flags = ["-I" + f for f in folders]
    for source in sorted(tree.root.glob(".deps/mbedtls-3.6.*/include")):
        flags += ["-isystem", str(source),
                  '-DMBEDTLS_CONFIG_FILE="mbedtls_config_host.h"']
    return flags


def check_headers(tree):
    """Every header compiles alone, twice; public ones with both compilers, in
    C++ as well."""
    with tempfile.TemporaryDirectory() as work:
        flags = include_flags(tree, work)

        def compile_as(name, command, language):
            source = f'#include "{name}"\n' * 2 + "extern int nothing;\n"
            run = subprocess.run(
                [*command, "-x", language, *FLAGS, "-I.", *flags, "-"],
                cwd=tree.root, input=source, capture_output=True, text=True)
            if run.returncode:
                first = next((l for l in run.stderr.splitlines()
                              if "error" in l), run.stderr.strip())
                yield name, 1, f"does not compile alone as {language}: {first}"

        def one(name):
            public = name.startswith(("include/", "compat/include/"))
            std = "-std=c11" if public or name.startswith("src/") \
                else "-std=gnu11"
            ways = [(["gcc", std], "c")]
            if public:
                cxx = ["-std=c++17", "-Wno-strict-prototypes"]
                ways += [(["clang", std], "c"), (["g++", *cxx], "c++"),
                         (["clang++", *cxx], "c++")]
            for command, language in ways:
                finding = next(compile_as(name, command, language), None)
                if finding:  # one is enough
                    yield finding
                    return

        names = [n for n in tree.c_files("src", "port", "include", "compat")
                 if n.endswith(".h")]
        yield from in_parallel(one, names)
