#!/usr/bin/env python3
"""filter.py FILE - a header as Doxygen wants to read it.

The headers have plain comments. One that begins a line is about what follows,
one behind a declaration about that declaration, the first one of a file about
the file. Rulers between groups ("--- x ---") stay plain.
"""
import re
import sys


def marked(text):
    text = re.sub(r"\A/\* (\S+\.h) - ", r"/** @file \1\n * ", text, count=1)
    text = re.sub(r"^([ \t]*)/\* (?!-{3}|lint-ok|clang-format|@file)",
                  r"\1/** ", text, flags=re.M)
    text = re.sub(r"(?m)^([ \t]*[^\s/*#].*?[;,\w)][ \t]+)/\* ", r"\1/**< ",
                  text)
    # Angle brackets, at signs and hashes are words here, not commands.
    return re.sub(r"/\*\*<?.*?\*/", lambda m: re.sub(
        r"(?<!\*)([<>#\\](?!\n))|@(?!file)",
        lambda c: "\\" + c[0], m[0][4:-2]).join([m[0][:4], "*/"]),
                  text, flags=re.S)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(marked(file.read()))
