"""Every branch of the boot path inverted, one at a time: how many of these
single faults let a bad image boot? docs/security.md states the number; this
test is its limit.

The instructions are those of test/fault/target.c, a boot path built as a
bootloader is; a fault is one conditional jump, move or set whose condition is
inverted for the whole run. With PORTA_DEEP=1 also: each instruction skipped."""
import collections
import os
import pathlib
import platform
import re
import shutil
import subprocess

import pytest

BIN = pathlib.Path(os.environ["PORTA_BIN"])
TARGET = BIN.parent / "test-bin" / "fault_target"
OURS = ("src/boot/", "src/image/", "src/crypto/", "src/otadata/", "src/part/",
        "src/base/", "src/fuse/")
# What docs/security.md says, at most. Of skipped instructions by compiler: of
# Debian's clang 14 a function without its return runs on into one that says 0.
LIMIT = 0
LIMIT_SKIP = {"GCC": 0, "clang": 1}
LIMIT_OLD = LIMIT_OLD_SKIP = 0

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64",
                       reason="instructions of x86-64 are changed"),
    pytest.mark.skipif(os.environ.get("PORTA_SANITIZE") == "1",
                       reason="the sanitizers add branches of their own"),
    pytest.mark.skipif(not shutil.which("objdump"),
                       reason="there is no objdump"),
]


def porta(*args):
    subprocess.run([BIN / "porta", *map(str, args)], check=True,
                   capture_output=True)


class Bench:
    """Keys, and flash files whose image a device has to refuse."""

    def __init__(self, folder, scheme):
        self.folder, self.scheme, self.count = folder, scheme, 0
        for n in range(3):
            porta("key", "new", "--scheme", scheme, "-o", folder / f"{n}.pem")
            porta("key", "public", folder / f"{n}.pem", "-o",
                  folder / f"{n}.pub")
        (folder / "body").write_bytes(bytes(range(256)) * 2)
        for name, secure in ("app", 2), ("old", 1):
            porta("image", "create", "--chip", "esp32", "--project", "p",
                  "--version", "1", "--secure-version", secure, "--segment",
                  f"0x3ffb0000:{folder / 'body'}", "-o", folder / name)
        (folder / "table").write_text("otadata, data, ota, 0x9000, 0x2000\n"
                                      "ota_0, app, ota_0, 0x10000, 64K\n")

    def signed(self, *keys, name="app"):
        path = self.folder / name
        for n in keys:
            self.count += 1
            out = self.folder / f"signed{self.count}"
            porta("image", "sign", "--scheme", self.scheme, "--key",
                  self.folder / f"{n}.pem", path, "-o", out)
            path = out
        return path.read_bytes()

    def flash(self, image, trusted=(0,), extra=()):
        """A device that trusts these keys, with an image it did not check."""
        self.count += 1
        out, app = (self.folder / f"{kind}{self.count}"
                    for kind in ("flash", "app"))
        porta("flash", "create", "-o", out, "--chip", "esp32", "--size",
              "256K", "--table", self.folder / "table", "--require-signed",
              self.scheme, *extra,
              *[a for n in trusted
                for a in ("--verify-key", self.folder / f"{n}.pub")])
        app.write_bytes(image)
        porta("flash", "write", out, "ota_0", app)
        return out


def forged(bench):
    """The trusted key's block, its signature changed in one bit. The CRC of a
    V2 block is right."""
    import struct
    import zlib
    data = bytearray(bench.signed(0))
    if bench.scheme == "v1":
        data[-1] ^= 1
        return bytes(data)
    at = len(data) - 4096
    data[at + (820 if bench.scheme == "rsa3072" else 110)] ^= 1
    data[at + 1196:at + 1200] = struct.pack("<I", zlib.crc32(
        data[at:at + 1196]))
    return bytes(data)


def resealed(bench):
    """A signed image whose code was changed; its own sums are right."""
    import hashlib
    data = bytearray(bench.signed(0))
    data[400] ^= 1
    end = len((bench.folder / "app").read_bytes())
    data[end - 33] ^= 1
    data[end - 32:end] = hashlib.sha256(data[:end - 32]).digest()
    return bytes(data)


def bad_flashes(bench):
    made = {
        "not signed": bench.flash((bench.folder / "app").read_bytes()),
        "by a stranger": bench.flash(bench.signed(1)),
        "forged": bench.flash(forged(bench)),
        "changed": bench.flash(resealed(bench)),
    }
    if bench.scheme != "v1":
        made["one of two"] = bench.flash(bench.signed(0, 2), (0, 1),
                                         ("--need-keys", 2))
    return made


def target(files, lines=()):
    done = subprocess.run([TARGET, *files], input="".join(lines), text=True,
                          capture_output=True, check=True)
    return [line.rsplit(" ", 1) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def code():
    """address -> (function, length, mnemonic) of our boot path."""
    ours = set()
    symbols = subprocess.run(["nm", "-l", TARGET], text=True,
                             capture_output=True, check=True).stdout
    for line in symbols.splitlines():
        match = re.match(r"\S+ [tT] (\S+)\t(\S+):\d+$", line)
        if match and any(part in match[2] for part in OURS):
            ours.add(match[1])
    text = subprocess.run(["objdump", "-d", "--insn-width=16", TARGET],
                          text=True, capture_output=True, check=True).stdout
    found, function = {}, None
    for line in text.splitlines():
        match = re.match(r"[0-9a-f]+ <([^>]+)>:$", line)
        if match:
            function = match[1] if match[1] in ours else None
        match = re.match(r"\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(\S*)",
                         line)
        if match and function:
            found[int(match[1], 16)] = (function, len(match[2].split()),
                                        match[3])
    assert len(found) > 1000
    return found


def compiler():
    note = subprocess.run(["objdump", "-s", "-j", ".comment", TARGET],
                          text=True, capture_output=True, check=True).stdout
    text = bytes.fromhex("".join(
        "".join(line.split("  ")[0].split()[1:])
        for line in note.splitlines() if re.match(r" [0-9a-f]{4} ", line)))
    return "clang" if b"clang" in text else "GCC"


def conditional(name):
    return re.match(r"(j(?!mp)|cmov|set)", name)


def report(scheme, model, code, results, capsys):
    counts = collections.Counter(verdict for _, verdict in results)
    through = [f"{code[int(a, 16)][0]}+{a}" for a, v in results
               if v == "accept"]
    with capsys.disabled():
        print(f"\n{scheme}: {len(results)} {model}, "
              f"{counts['accept']} let a bad image boot, "
              f"{counts['crash']} crash, {counts['hang']} hang"
              + "".join(f"\n  {where}" for where in through), flush=True)
    return through


@pytest.fixture(scope="module", params=["ecdsa256", "rsa3072", "v1"])
def scene(request, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp(request.param), request.param)
    return request.param, bench, bad_flashes(bench)


def test_as_it_is(scene):
    """Good images boot and bad ones do not: the faults below mean something."""
    scheme, bench, bad = scene
    good = bench.flash(bench.signed(0))
    assert target([good])[0][1] == "accept"
    for name, path in bad.items():
        assert target([path])[0][1] == "reject", name


def test_each_branch_inverted(scene, code, capsys):
    scheme, _, bad = scene
    lines = [f"f {a:x}\n" for a, (_, _, name) in code.items()
             if conditional(name)]
    assert len(lines) > 300
    results = target(bad.values(), lines)
    assert len(results) == len(lines)
    through = report(scheme, "branches inverted", code, results, capsys)
    assert len(through) <= LIMIT, through


def old_image(scene, fuses):
    """A device whose image is signed and older than its fuses, as arguments."""
    scheme, bench, _ = scene
    if scheme != "ecdsa256":
        pytest.skip("the fuses are the same with each scheme")
    flag = ["--emulated-fuses"] if fuses == "emulated" else []
    good = bench.flash(bench.signed(0))
    assert target([*flag, good])[0][1] == "accept"
    old = [*flag, bench.flash(bench.signed(0, name="old"))]
    assert target(old)[0][1] == "reject"
    return old


@pytest.mark.parametrize("fuses", ["chip", "emulated"])
def test_each_branch_inverted_with_an_old_image(scene, code, fuses, capsys):
    old = old_image(scene, fuses)
    lines = [f"f {a:x}\n" for a, (_, _, name) in code.items()
             if conditional(name)]
    through = report(f"older than the fuses ({fuses})", "branches inverted",
                     code, target(old, lines), capsys)
    assert len(through) <= LIMIT_OLD, through


def test_faults_bite(scene, code, capsys):
    """The faults are real ones: many of them keep a good image from booting."""
    scheme, bench, _ = scene
    if scheme != "ecdsa256":
        pytest.skip("one scheme is enough")
    lines = [f"f {a:x}\n" for a, (_, _, name) in code.items()
             if conditional(name)]
    results = target([bench.flash(bench.signed(0))], lines)
    stopped = sum(verdict != "accept" for _, verdict in results)
    with capsys.disabled():
        print(f"\n{stopped} of {len(lines)} keep a good image from booting")
    assert stopped > 100


@pytest.mark.skipif(not os.environ.get("PORTA_DEEP"),
                    reason="each instruction skipped: set PORTA_DEEP=1")
def test_each_instruction_skipped(scene, code, capsys):
    scheme, _, bad = scene
    lines = [f"s {a:x} {size}\n" for a, (_, size, _) in code.items()]
    results = target(bad.values(), lines)
    through = report(scheme, "instructions skipped", code, results, capsys)
    assert len(through) <= LIMIT_SKIP[compiler()], through


@pytest.mark.skipif(not os.environ.get("PORTA_DEEP"),
                    reason="each instruction skipped: set PORTA_DEEP=1")
@pytest.mark.parametrize("fuses", ["chip", "emulated"])
def test_each_instruction_skipped_with_an_old_image(scene, code, fuses, capsys):
    old = old_image(scene, fuses)
    lines = [f"s {a:x} {size}\n" for a, (_, size, _) in code.items()]
    through = report(f"older than the fuses ({fuses})",
                     "instructions skipped", code, target(old, lines), capsys)
    assert len(through) <= LIMIT_OLD_SKIP, through
