#!/usr/bin/python3
"""mutants.py - slowdowns put into the code under test, one at a time.

usage: mutants.py list              NAME:FILE of each, for CMake
       mutants.py make NAME SOURCE  the file with the slowdown, on stdout

The budgets must notice every one of them. A mutant whose text is no longer in
its file stops the build, so that none goes missing unnoticed.
"""
import sys

# name, file, the budget that has to break, what is there, what is there then
MUTANTS = [
    ("second-hash", "src/update/check.c",
     "host: instructions for a byte / floor",
     "    err = img_check_feed(&u->work->check, data, len);\n",
     "    struct sha256 again;\n    sha256_init(&again);\n"
     "    sha256_update(&again, data, len);\n"
     "    err = img_check_feed(&u->work->check, data, len);\n"),
    ("no-nodelay", "port/linux/linux_net.c",
     "host: sockets that wait to fill packets",
     "setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;\n",
     "on == 1;\n"),
    ("double-erase", "src/part/part_dev.c",
     "host: erases beyond the least",
     "    return dev->flash->erase(dev->flash->ctx, e->off + off);\n",
     "    (void)!dev->flash->erase(dev->flash->ctx, e->off + off);\n"
     "    return dev->flash->erase(dev->flash->ctx, e->off + off);\n"),
    ("allocation-for-each-step", "src/update/session.c",
     "host: allocations for 1 MB",
     "    *err = u->err;\n    if (!*err)\n        *err = upd_check_limits(u);\n",
     "    const struct port_heap *more = u->env.http.heap;\n"
     "    more->free(more->ctx, more->alloc(more->ctx, 100));\n"
     "    *err = u->err;\n    if (!*err)\n        *err = upd_check_limits(u);\n"),
]


def make(name, source):
    for mutant, _, _, there, instead in MUTANTS:
        if mutant != name:
            continue
        with open(source) as f:
            text = f.read()
        if text.count(there) != 1:
            sys.exit(f"mutants.py: {name}: its text is in {source} "
                     f"{text.count(there)} times, not once")
        return text.replace(there, instead)
    sys.exit(f"mutants.py: there is no mutant {name}")


def main():
    if sys.argv[1:] == ["list"]:
        print(";".join(f"{m[0]}:{m[1]}" for m in MUTANTS))
    elif len(sys.argv) == 4 and sys.argv[1] == "make":
        sys.stdout.write(make(sys.argv[2], sys.argv[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
