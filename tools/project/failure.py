"""failure.py - what a person did, in one sentence; the build ends with it."""
import os
import sys


class Failure(Exception):
    pass


def leave(wrong, folder):
    """Says it, and leaves it where `porta build` looks."""
    text = " ".join(str(wrong).split())
    print(text, file=sys.stderr)
    if folder and os.path.isdir(folder):
        path = os.path.join(folder, "porta-error.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
