"""The lint: run as `/usr/bin/python3 tools/lint [--fix] [--root DIR] [CHECK...]`.

Every check is a function that yields (file, line, what is wrong); without
arguments all of them run. Closes with "N passed, N failed".
"""
import argparse
import sys

import circles
import compiled
import functions
import layers
import rules
import tree

CHECKS = {
    "format": compiled.check_format,
    "headers": compiled.check_headers,
    "layers": layers.check_includes,
    "circles": circles.check_circles,
    "functions": functions.check_functions,
    "width": rules.check_width,
    "file-length": rules.check_file_length,
    "esp-names": rules.check_esp_names,
    "public-config": rules.check_public_config,
    "must-check": rules.check_must_check,
    "macros": rules.check_macros,
    "if-density": rules.check_density,
    "banned": rules.check_banned,
    "openings": rules.check_openings,
    "todo": rules.check_todo,
    "places": rules.check_places,
}


def run_check(name, work_tree):
    findings = sorted(set(CHECKS[name](work_tree)))
    verdict = "FAILED" if findings else "ok    "
    print(f"{verdict} {name}: {CHECKS[name].__doc__.splitlines()[0]}")
    for path, line, message in findings:
        print(f"  {path}:{line}: {message}")
    return not findings


def main():
    parser = argparse.ArgumentParser(prog="tools/lint")
    parser.add_argument("--fix", action="store_true",
                        help="let clang-format decide, then check")
    parser.add_argument("--root", default=tree.ROOT)
    parser.add_argument("checks", nargs="*", metavar="CHECK",
                        help=", ".join(CHECKS))
    args = parser.parse_args()
    unknown = set(args.checks) - set(CHECKS)
    if unknown:
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    work_tree = tree.Tree(args.root)
    if args.fix:
        list(compiled.check_format(work_tree, fix=True))
        work_tree = tree.Tree(args.root)
    results = [run_check(name, work_tree)
               for name in (args.checks or CHECKS)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
