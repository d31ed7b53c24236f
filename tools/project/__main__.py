"""What a project's build needs beside CMake: run as
`/usr/bin/python3 tools/project VERB ...` by cmake/idf/ and `make menuconfig`.

  options   sdkconfig.defaults and Kconfig files -> sdkconfig.h and the like
  menu      the same, edited by a person, saved as the project's sdkconfig
  source    options -> app_config.c
  pack      program -> image, partition table, flash file
  docs      Kconfig -> docs/options.md
"""
import argparse
import subprocess
import sys

import failure


def options(args):
    import options as module
    module.run(args)


def menu(args):
    import options as module
    module.menu(args)


def source(args):
    import pack as module
    module.write_source(args)


def pack(args):
    import pack as module
    module.run(args)


def docs(args):
    import option_docs as module
    module.run(args)


def add_sources(parser):
    parser.add_argument("--idf", required=True, help="IDF_PATH")
    parser.add_argument("--project", required=True)
    parser.add_argument("--out", required=True, help="build folder")
    parser.add_argument("--target", required=True)
    parser.add_argument("--defaults", nargs="*", default=[])
    parser.add_argument("--sdkconfig", default="")
    parser.add_argument("--kconfig", nargs="*", default=[])
    parser.add_argument("--projbuild", nargs="*", default=[])
    parser.add_argument("--rename", nargs="*", default=[])
    parser.add_argument("--connection", action="store_true")


def main():
    parser = argparse.ArgumentParser(prog="tools/project",
                                     fromfile_prefix_chars="@")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in (options, menu):
        add_sources(verbs.add_parser(verb.__name__))
    packer = verbs.add_parser("pack")
    for name in ("elf", "strip", "name", "version"):
        packer.add_argument("--" + name, required=True)
    for parser_of in (packer, verbs.add_parser("source")):
        for name in ("porta", "config", "project", "out"):
            parser_of.add_argument("--" + name, required=True)
    writer = verbs.add_parser("docs")
    writer.add_argument("--idf", required=True)
    writer.add_argument("-o", required=True)
    args = parser.parse_args()
    try:
        globals()[args.verb](args)
    except failure.Failure as wrong:
        failure.leave(wrong, getattr(args, "out", None))
        return 1
    except (OSError, subprocess.SubprocessError) as wrong:
        failure.leave(f"{args.verb}: {wrong}", getattr(args, "out", None))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
