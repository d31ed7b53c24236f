"""Both ways with the reference tool: what espsecure signs we accept, what we
sign it accepts, and what one of us refuses the other refuses.

espsecure is the program that PORTA_ESPSECURE names, else what `make setup`
fetched into .deps/, else the one in PATH; it is part of the Python package
esptool, 5.x."""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zlib

import pytest

ROOT = pathlib.Path(os.environ.get("PORTA_SOURCE") or
                    pathlib.Path(__file__).resolve().parents[2])


def find_tool():
    """The command, and what its environment has besides."""
    if os.environ.get("PORTA_ESPSECURE"):
        return [os.environ["PORTA_ESPSECURE"]], {}
    for folder in sorted(ROOT.glob(".deps/esptool-*")):
        return [sys.executable, "-m", "espsecure"], {"PYTHONPATH": str(folder)}
    path = shutil.which("espsecure")
    return [path] if path else None, {}


TOOL, TOOL_ENV = find_tool()
pytestmark = pytest.mark.skipif(
    not TOOL, reason="espsecure is not there: make setup could not fetch "
                     "esptool, and PORTA_ESPSECURE does not name it")

V2 = ["rsa3072", "ecdsa256", "ecdsa384"]


def espsecure(*args, ok=True):
    done = subprocess.run([*TOOL, *map(str, args)], text=True,
                          capture_output=True, timeout=120,
                          env={**os.environ, **TOOL_ENV})
    if ok and done.returncode and "ecdsa384" in map(str, args) and \
            "scheme" in done.stderr:
        pytest.skip("this espsecure does not know P-384")
    assert (done.returncode == 0) == ok, done
    return done.stdout + done.stderr


class Keys:
    """keys(scheme, n) -> (private, public), made by one tool or the other"""

    def __init__(self, folder, make):
        self.folder, self.make, self.made = folder, make, {}

    def __call__(self, scheme, number=0):
        if (scheme, number) not in self.made:
            private = self.folder / f"{scheme}-{number}.pem"
            public = self.folder / f"{scheme}-{number}.pub"
            self.make(scheme, private, public)
            self.made[scheme, number] = private, public
        return self.made[scheme, number]


@pytest.fixture(scope="module")
def our_keys(porta, tmp_path_factory):
    def make(scheme, private, public):
        porta.ok("key", "new", "--scheme", scheme, "-o", private)
        porta.ok("key", "public", private, "-o", public)

    return Keys(tmp_path_factory.mktemp("ours"), make)


@pytest.fixture(scope="module")
def their_keys(tmp_path_factory):
    def make(scheme, private, public):
        espsecure("generate-signing-key", "--version", 2, "--scheme", scheme,
                  private)
        espsecure("extract-public-key", "--version", 2, "--keyfile", private,
                  public)

    return Keys(tmp_path_factory.mktemp("theirs"), make)


def theirs(path, key, out, version=2, more=()):
    espsecure("sign-data", "--version", version, "--keyfile", key, "--output",
              out, *more, path)
    return out


def ours(porta, path, key, out, scheme):
    porta.ok("image", "sign", "--scheme", scheme, "--key", key, path, "-o",
             out)
    return out


@pytest.mark.parametrize("whose", ["our_keys", "their_keys"])
@pytest.mark.parametrize("scheme", V2)
def test_key_ids(porta, request, tmp_path, scheme, whose):
    private, public = request.getfixturevalue(whose)(scheme)
    for key in (private, public):
        out = tmp_path / f"{key.name}.digest"
        espsecure("digest-sbv2-public-key", "--keyfile", key, "--output", out)
        assert porta.ok("key", "digest", key).out.strip() == \
            out.read_bytes().hex()


@pytest.mark.parametrize("scheme", V2)
def test_what_it_signs_we_accept(porta, our_keys, image, tmp_path, scheme):
    signed = theirs(image(), our_keys(scheme)[0], tmp_path / "signed")
    porta.ok("image", "verify", signed, "--key", our_keys(scheme)[1])
    assert porta("image", "verify", signed, "--key",
                 our_keys(scheme, 1)[1]).code == 1


@pytest.mark.parametrize("scheme", V2)
def test_what_we_sign_it_accepts(porta, their_keys, image, tmp_path, scheme):
    signed = ours(porta, image(), their_keys(scheme)[0], tmp_path / "signed",
                  scheme)
    said = espsecure("verify-signature", "--version", 2, "--keyfile",
                     their_keys(scheme)[1], signed)
    assert "verification successful" in said, said
    espsecure("verify-signature", "--version", 2, "--keyfile",
              their_keys(scheme, 1)[1], signed, ok=False)


def test_v1(porta, their_keys, image, tmp_path):
    """Deterministic, so both make the same file."""
    private, public = their_keys("ecdsa256")
    path = image()
    a = theirs(path, private, tmp_path / "theirs", version=1)
    b = ours(porta, path, private, tmp_path / "ours", "v1")
    assert a.read_bytes() == b.read_bytes()
    porta.ok("image", "verify", a, "--key", public)
    espsecure("verify-signature", "--version", 1, "--keyfile", private, b)
    raw = tmp_path / "raw"
    espsecure("extract-public-key", "--version", 1, "--keyfile", private, raw)
    porta.ok("key", "public", private, "--raw", "-o", tmp_path / "raw2")
    assert raw.read_bytes() == (tmp_path / "raw2").read_bytes()
    porta.ok("image", "verify", a, "--key", raw)


@pytest.mark.parametrize("scheme", V2)
def test_blocks_of_both(porta, their_keys, image, tmp_path, scheme):
    """One block of theirs, one of ours, one of theirs."""
    first = theirs(image(), their_keys(scheme)[0], tmp_path / "1")
    second = ours(porta, first, their_keys(scheme, 1)[0], tmp_path / "2",
                  scheme)
    third = tmp_path / "3"
    shutil.copy(second, third)
    espsecure("sign-data", "--version", 2, "--keyfile",
              their_keys(scheme, 2)[0], "--append-signatures", third)
    porta.ok("image", "verify", third, "--need-keys", 3, *[
        a for n in range(3) for a in ("--key", their_keys(scheme, n)[1])])
    for number in range(3):
        espsecure("verify-signature", "--version", 2, "--keyfile",
                  their_keys(scheme, number)[1], third)
    said = espsecure("signature-info-v2", third)
    assert said.count("is valid") == 3, said


def test_a_key_set_signed_by_it(porta, our_keys, image, tmp_path):
    private, public = our_keys("ecdsa256")
    plain, signed = tmp_path / "plain", tmp_path / "signed"
    porta.ok("key", "set", public, our_keys("ecdsa256", 1)[1],
             "--set-version", 7, "-o", plain)
    theirs(plain, private, signed)
    table = tmp_path / "table.csv"
    table.write_text("factory, app, factory, 0x10000, 1M\n"
                     "porta_keys, data, 0x70, , 8K\n")
    flash = tmp_path / "device.bin"
    app = ours(porta, image(), private, tmp_path / "app", "ecdsa256")
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--table",
             table, "--require-signed", "ecdsa256", "--verify-key", public,
             "--app", f"factory={app}")
    porta.ok("key", "install", flash, signed)
    said = porta.ok("key", "show", flash, "--json").json
    assert said["from"] == "the key store" and len(said["keys"]) == 2


# --- what is refused ----------------------------------------------------------


def sector_of(data):
    return len(data) - 4096


def with_crc(data, off):
    """A block whose checksum is right, whatever else is wrong with it."""
    struct.pack_into("<I", data, off + 1196,
                     zlib.crc32(bytes(data[off:off + 1196])))


def a_bit_of_the_image(data, key):
    data[100] ^= 1


def a_bit_of_the_checksum(data, key):
    data[sector_of(data) + 1196] ^= 1


def a_bit_of_the_digest(data, key):
    data[sector_of(data) + 4] ^= 1
    with_crc(data, sector_of(data))


def a_bit_of_the_signature(data, key):
    at = {"rsa3072": 812, "ecdsa256": 101, "ecdsa384": 149}[key]
    data[sector_of(data) + at] ^= 1
    with_crc(data, sector_of(data))


def no_magic(data, key):
    data[sector_of(data)] = 0xE8
    with_crc(data, sector_of(data))


def an_empty_sector(data, key):
    data[sector_of(data):] = b"\xff" * 4096


def no_sector(data, key):
    del data[sector_of(data):]


BAD = [a_bit_of_the_image, a_bit_of_the_checksum, a_bit_of_the_digest,
       a_bit_of_the_signature, no_magic, an_empty_sector, no_sector]
ROWS = [("ecdsa256", f) for f in BAD] + [
    ("rsa3072", a_bit_of_the_signature), ("ecdsa384", a_bit_of_the_signature)]


@pytest.mark.parametrize("scheme, damage", ROWS,
                         ids=lambda x: getattr(x, "__name__", x))
def test_both_refuse(porta, our_keys, image, tmp_path, scheme, damage):
    private, public = our_keys(scheme)
    bad = ours(porta, image(), private, tmp_path / "bad", scheme)
    data = bytearray(bad.read_bytes())
    damage(data, scheme)
    bad.write_bytes(data)
    assert porta("image", "verify", bad, "--key", public).code == 1
    espsecure("verify-signature", "--version", 2, "--keyfile", public, bad,
              ok=False)
