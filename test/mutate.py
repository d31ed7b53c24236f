"""mutate.py - one fault put into one file: the machinery of every mutants.py.

A mutant is (name, file, what is there, what stands there instead, ...). Each
list says of itself who has to notice it. One whose text is no longer in its
file stops the build, so that none goes missing unnoticed.

usage of each list: mutants.py list              NAME:FILE of each, for CMake
                    mutants.py make NAME SOURCE  the file with the fault
                    mutants.py check FOLDER      can each of them be made?
"""
import sys


def made(mutants, name, path):
    there, instead = next(m[2:4] for m in mutants if m[0] == name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(there) != 1:
        sys.exit(f"mutants.py: {name}: its text is {text.count(there)} times "
                 f"in {path}; bring the mutant up to date")
    return text.replace(there, instead)


def main(mutants):
    if sys.argv[1:] == ["list"]:
        print(";".join(f"{m[0]}:{m[1]}" for m in mutants))
    elif len(sys.argv) == 4 and sys.argv[1] == "make":
        sys.stdout.write(made(mutants, *sys.argv[2:]))
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        for name, file, *_ in mutants:
            made(mutants, name, f"{sys.argv[2]}/{file}")
    else:
        sys.exit(__doc__)
