"""What every row of bench/run stands on: a folder with inputs, a way to run a
command, and the rule that what cannot be measured is named and left out."""

import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import time

import certs

TABLE = """\
otadata, data, ota,   0xd000,  0x2000
ota_0,   app,  ota_0, 0x10000, 1M
ota_1,   app,  ota_1, ,        17M
"""
FLASH_SIZE = "20MB"
MB = 1000 * 1000


class Skip(Exception):
    """Why a row cannot be measured here."""


class Lab:
    def __init__(self, build, work, runs, quick):
        self.bin = os.path.join(build, "bin")
        self.porta = os.path.join(self.bin, "porta")
        self.floor = os.path.join(self.bin, "porta-floor")
        self.build, self.work = build, work
        self.runs, self.quick = runs, quick
        self.skipped = []
        self.only = ""  # rows whose name has this
        self.keep = lambda lab: None
        self.report = {"machine": machine(), "runs": runs, "quick": quick,
                       "skipped": self.skipped}

    def path(self, name):
        return os.path.join(self.work, name)

    def skip(self, what, why):
        line = " ".join(f"{what}: {why}".split())
        if line not in self.skipped:
            self.skipped.append(line)

    def row(self, what, measure, *args):
        """Measures, or says why not, and goes on to the next."""
        if self.only not in what:
            return
        start = time.monotonic()
        try:
            measure(self, *args)
        except Skip as why:
            self.skip(what, why)
        took = time.monotonic() - start
        self.report.setdefault("took_s", {})[what] = round(took, 1)
        print(f"bench: {what}, {took:.0f} s", flush=True)
        self.keep(self)

    # --- inputs -------------------------------------------------------------

    def make_inputs(self, sizes):
        self.pki = certs.Pki(self.work)
        self.ca = self.pki.ca
        self.cert, self.key = self.pki.server()
        os.mkdir(self.path("www"))
        with open(self.path("table.csv"), "w") as f:
            f.write(TABLE)
        self.make_image("running.bin", 4096, version="0")
        for size in sizes:
            self.make_image(f"www/{size}.bin", size)

    def make_image(self, name, size, chip="esp32", version="1"):
        with open(self.path("body.bin"), "wb") as f:
            f.write(os.urandom(max(size - 4096, 256)))
        self.run(self.porta, "image", "create", "--chip", chip, "--project",
                 "bench", "--version", version, "--segment",
                 "0:" + self.path("body.bin"), "-o", self.path(name))
        return self.path(name)

    def image(self, size):
        return self.path(f"www/{size}.bin")

    def image_len(self, size):
        return os.path.getsize(self.image(size))

    def fresh_flash(self, app="running.bin", name="flash.bin"):
        for left in (name, name + ".porta"):
            if os.path.exists(self.path(left)):
                os.unlink(self.path(left))
        self.run(self.porta, "flash", "create", "-o", self.path(name),
                 "--chip", "esp32", "--size", FLASH_SIZE, "--table",
                 self.path("table.csv"), "--app", "ota_0=" + self.path(app))
        return self.path(name)

    # --- running ------------------------------------------------------------

    def run(self, *args, env=None):
        done = subprocess.run(args, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True,
                              env={**os.environ, **(env or {})})
        if done.returncode:
            raise Skip(f"{os.path.basename(args[0])} ended with "
                       f"{done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def timed(self, *args):
        start = time.monotonic()
        out = self.run(*args)
        return time.monotonic() - start, out

    def need(self, program):
        found = shutil.which(program)
        if not found:
            raise Skip(f"{program} is not installed")
        return found

    def callgrind(self, args, function=None):
        """Instructions of the program, or those of one function alone."""
        self.need("valgrind")
        out = self.path("callgrind.out")
        only = [f"--toggle-collect={function}"] if function else []
        self.run("valgrind", "-q", "--tool=callgrind", *only,
                 f"--callgrind-out-file={out}", *args)
        with open(out) as f:
            total = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
        count = int(total[1])
        if count == 0:
            raise Skip(f"valgrind finds no function {function}")
        return count

    def interleaved(self, commands, prepare=lambda who: None, runs=None):
        """{who: ([seconds], last output)}; each run of one stands beside one
        of every other, and the first, which warms up, is not counted."""
        runs = runs or self.runs
        times = {who: [] for who in commands}
        last = {}
        for run in range(runs + 1):
            for who, command in commands.items():
                prepare(who)
                seconds, last[who] = self.timed(*command)
                if run:
                    times[who].append(seconds)
        return {who: (times[who], last[who]) for who in commands}


def spread(values):
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def paired(a, b):
    """Ratios of runs that stood side by side."""
    return spread([x / y for x, y in zip(a, b)])


def same_bytes(a, b):
    with open(a, "rb") as fa, open(b, "rb") as fb:
        want = fa.read()
        return hashlib.sha256(want).digest() == \
            hashlib.sha256(fb.read(len(want))).digest()


def machine():
    try:
        with open("/proc/cpuinfo") as f:
            info = f.read()
    except OSError:
        info = ""
    model = re.search(r"model name\s*: (.*)", info)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)", info, re.M)
    known = flags[1].split() if flags else []
    return {"cpu": model[1] if model else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "sha_instructions": "sha_ni" in known or "sha2" in known,
            "load": round(os.getloadavg()[0], 2)}


def written(path, what):
    with open(path, "w") as f:
        json.dump(what, f, indent=2)
        f.write("\n")
