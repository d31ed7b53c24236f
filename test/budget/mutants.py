#!/usr/bin/python3
"""mutants.py - slowdowns put into the code under test, one at a time: see
test/mutate.py. The budgets must notice every one of them, each by the row that
is its last word.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from mutate import main  # noqa: E402

MUTANTS = [
    ("second-hash", "src/update/check.c",
     "    err = img_check_feed(&u->work->check, data, len);\n",
     "    struct sha256 again;\n    sha256_init(&again);\n"
     "    sha256_update(&again, data, len);\n"
     "    err = img_check_feed(&u->work->check, data, len);\n",
     "host: instructions for a byte / floor"),
    ("no-nodelay", "port/linux/linux_net.c",
     "setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;\n",
     "on == 1;\n",
     "host: sockets that wait to fill packets"),
    ("double-erase", "src/part/part_dev.c",
     "    return dev->flash->erase(dev->flash->ctx, e->off + off);\n",
     "    (void)!dev->flash->erase(dev->flash->ctx, e->off + off);\n"
     "    return dev->flash->erase(dev->flash->ctx, e->off + off);\n",
     "host: erases beyond the least"),
    ("allocation-for-each-step", "src/update/session.c",
     "    *err = u->err;\n    if (!*err)\n        *err = upd_check_limits(u);\n",
     "    const struct port_heap *more = u->env.http.heap;\n"
     "    more->free(more->ctx, more->alloc(more->ctx, 100));\n"
     "    *err = u->err;\n    if (!*err)\n        *err = upd_check_limits(u);\n",
     "host: allocations for 1 MB"),
]

if __name__ == "__main__":
    main(MUTANTS)
