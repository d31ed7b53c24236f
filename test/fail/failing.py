"""Runs a command many times over; each time one call of one function of the C
library fails in it (shim.c)."""

import collections
import errno
import itertools
import os
import re
import struct
import subprocess
import tempfile

BIN = os.environ.get("PORTA_BIN", os.path.join(
    os.path.dirname(__file__), "..", "..", "build", "bin"))
SHIM = os.path.join(BIN, "..", "test-bin", "libfail_shim.so")
DEEP = "PORTA_DEEP" in os.environ
SANITIZED = os.environ.get("PORTA_SANITIZE") == "1"
TIME = 60  # seconds after which a command hangs

HEAD = struct.Struct("<24sIiIIQ24Q")
CALL = struct.Struct("<24sII")
CALLS = 96

# What a function says when it cannot; the first of them is the likeliest.
SHORT = 0
WHY = {
    "malloc calloc realloc open_memstream": ["ENOMEM"],
    "open": ["EMFILE", "EACCES", "EIO", "EINTR"],
    "fopen fdopen opendir": ["EMFILE", "ENOMEM"],
    "read pread": ["EIO", "EINTR", SHORT],
    "write pwrite": ["ENOSPC", "EIO", "EINTR", SHORT],
    "fread fgets readdir nftw": ["EIO"],
    "fwrite fflush fclose": ["ENOSPC"],
    "fsync": ["EIO", "ENOSPC"],
    "ftruncate fallocate": ["ENOSPC", "EIO", "EINTR"],
    "rename unlink mkdir mkostemp mkdtemp fchmod": ["EACCES", "ENOSPC"],
    "stat fstat access realpath readlink": ["EIO", "EACCES"],
    "mmap memfd_create": ["ENOMEM"],
    "flock": ["ENOLCK", "EINTR"],
    "fcntl dup2 pipe pipe2 socket accept4": ["EMFILE"],
    "ioctl": ["ENOTTY"],
    "fork pthread_create": ["EAGAIN"],
    "execvp execve": ["ENOENT"],
    "waitpid": ["ECHILD", "EINTR"],
    "connect": ["ECONNREFUSED", "EINTR"],
    "bind listen": ["EADDRINUSE"],
    "getsockname setsockopt getsockopt": ["ENOBUFS"],
    "send sendmsg": ["ECONNRESET", "EINTR", SHORT],
    "recv": ["ECONNRESET", "EINTR", SHORT],
    "sendfile": ["EIO", "EINTR", SHORT],
    "poll": ["ENOMEM", "EINTR"],
    "getaddrinfo": ["EIO"],
    "getrandom": ["EAGAIN", "EINTR", SHORT],
}
ALLOCATOR = ("malloc", "calloc", "realloc")
# These fail nothing: the call is made again, or for the rest.
HARMLESS = ("EINTR", SHORT)


def whys(function):
    for names, found in WHY.items():
        if function in names.split():
            # sendmsg() has no length of its own to cut.
            return [w for w in found if w != SHORT or function != "sendmsg"]
    raise KeyError(f"{function} is not in the table WHY")


class Note:
    """The file by which shim.c is told what fails, and tells what came."""

    def __init__(self, path, function="", nth=0, why=SHORT):
        self.path = path
        number = getattr(errno, why) if why else 0
        with open(path, "wb") as f:
            f.write(HEAD.pack(function.encode(), nth, number, 0, 0, 0,
                              *[0] * 24))
            f.write(bytes(CALLS * CALL.size))

    @property
    def env(self):
        # The shim comes before the address sanitizer, which asks to be first.
        return {"PORTA_FAIL": str(self.path), "LD_PRELOAD": SHIM,
                "ASAN_OPTIONS": "verify_asan_link_order=0:"
                                + os.environ.get("ASAN_OPTIONS", "")}

    def read(self):
        with open(self.path, "rb") as f:
            raw = f.read()
        head = HEAD.unpack_from(raw)
        self.fired, frames, self.base = head[3], head[4], head[5]
        self.frames = [f - self.base for f in head[6:6 + frames]]
        self.counts = {}
        for at in range(HEAD.size, len(raw), CALL.size):
            name, count, _ = CALL.unpack_from(raw, at)
            if count:
                self.counts[name.rstrip(b"\0").decode()] = count
        return self

    def where(self):
        """The calls that led there, for whoever mends what was found."""
        done = subprocess.run(
            ["addr2line", "-fs", "-e", os.path.join(BIN, "porta"),
             *(hex(f - 1) for f in self.frames if 0 < f < 1 << 32)],
            capture_output=True, text=True, check=False)
        names = done.stdout.splitlines()
        return " < ".join(f"{n} {at}" for n, at in
                          zip(names[::2], names[1::2]) if n != "??")


class Ended:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out}\nerr: {self.err}"


def run(words, env=None):
    done = subprocess.run([os.path.join(BIN, "porta"), *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=TIME,
                          check=False, env={**os.environ, **(env or {})})
    return Ended(done.returncode, done.stdout, done.stderr)


# One sentence that says what failed, behind what else was said.
SENTENCE = re.compile(r"^porta(?: [a-z ]+)?: [a-z0-9]+: \S.{9,}$", re.M)


def need_end(ended):
    """A command ends in one of its ways, whatever happens."""
    assert "Sanitizer" not in ended.err, ended
    assert ended.code in (0, 1), ended
    if ended.code == 1:
        assert SENTENCE.search(ended.err), ended


def snapshot(folder):
    """Every file below folder, and what is in it."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


class Count:
    """How many faults were armed, and what became of them."""

    def __init__(self):
        self.armed = self.fired = self.past = 0
        self.ended = collections.Counter()
        self.functions = collections.Counter()

    def __str__(self):
        kinds = ", ".join(f"{n} {f}" for f, n in
                          sorted(self.functions.items()))
        return (f"{self.fired} of {self.armed} faults fired, {self.past} more "
                f"runs found no such call left; the command ended with 0 "
                f"{self.ended[0]} times, with 1 {self.ended[1]} times "
                f"({kinds})")


def numbers(count, most, step):
    """Which of so many calls fail: all of them and one more, or a few."""
    if DEEP:
        return itertools.count(1, step)
    most = min(most, count)
    return sorted({1 + i * (count - 1) // max(1, most - 1)
                   for i in range(most)})


_turns = itertools.count(1)


def again():
    """Is the command now run once more, without a fault? In short each third
    time."""
    return DEEP or next(_turns) % 3 == 0


class Bench:
    """Everything that one command is put through.

    scene(folder) makes what the command works on and returns its words;
    go(words, env) runs it; check(folder, ended, harmless) looks at what it
    left behind; without a fault it ends with `code`. The row of a function ends
    with the first fault that does not fire: that run has no such call any
    more."""

    def __init__(self, scene, check, go=run, most=2, step=1, code=0):
        self.scene, self.check, self.go = scene, check, go
        self.most, self.step, self.code = most, step, code
        self.count, self.found = Count(), []

    def once(self, function="", nth=0, why=SHORT):
        with tempfile.TemporaryDirectory(prefix="porta-fail-") as top:
            folder = os.path.join(top, "scene")
            os.mkdir(folder)
            words = self.scene(folder)
            note = Note(os.path.join(top, "note"), function, nth, why)
            try:
                ended = self.go(words, note.env)
                note.read()
                harmless = not note.fired or why in HARMLESS
                need_end(ended)
                assert not harmless or ended.code == self.code, ended
                self.check(folder, ended, harmless)
                self.count.ended[ended.code] += bool(note.fired)
            except (AssertionError, subprocess.TimeoutExpired) as e:
                note.read()
                self.found.append(f"{function} {nth} {why}: {e}\n  "
                                  f"{note.where()}")
            return note

    def rows(self, functions):
        """In short only the likeliest failure of a function comes twice."""
        for function, count in functions.items():
            many = function in ALLOCATOR
            most = self.most * (3 if many else 1)
            for why in whys(function):
                yield function, why, numbers(count, most,
                                             self.step if many else 1)
                most = 1

    def all(self, skip=()):
        """Each call of each function that the command has."""
        counts = self.once().counts
        assert not self.found, self.found
        assert counts, "the shim was not loaded"
        if SANITIZED:
            skip = (*skip, *ALLOCATOR)
        counts = {f: n for f, n in counts.items() if f not in skip}
        for function, why, which in self.rows(counts):
            self.row(function, why, which)
        return self.count

    def row(self, function, why, which):
        for nth in which:
            note = self.once(function, nth, why)
            if not note.fired:
                # A piece of one byte has no part; there may be larger ones.
                if why != SHORT or nth > note.counts.get(function, 0):
                    self.count.past += 1
                    return
                continue
            self.count.armed += 1
            self.count.fired += note.fired
            self.count.functions[function] += note.fired
