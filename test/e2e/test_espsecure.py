"""Both ways with the reference tool: what espsecure signs we accept, and what
we sign it accepts.

espsecure is found by PORTA_ESPSECURE or in PATH; it is part of the Python
package esptool, 5.x (pip install esptool)."""
import os
import shutil
import subprocess

import pytest

TOOL = os.environ.get("PORTA_ESPSECURE") or shutil.which("espsecure")
pytestmark = pytest.mark.skipif(
    not TOOL, reason="espsecure is not installed (pip install esptool), and "
                     "PORTA_ESPSECURE does not name it")

V2 = ["rsa3072", "ecdsa256", "ecdsa384"]


def espsecure(*args, ok=True):
    done = subprocess.run([TOOL, *map(str, args)], text=True,
                          capture_output=True, timeout=120)
    assert (done.returncode == 0) == ok, done
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=["ours", "theirs"])
def keys(request, porta, tmp_path_factory):
    """keys(scheme, n) -> (private, public), made by one tool or the other"""
    folder, made = tmp_path_factory.mktemp(request.param), {}

    def make(scheme, number=0):
        if (scheme, number) in made:
            return made[scheme, number]
        private = folder / f"{scheme}-{number}.pem"
        public = folder / f"{scheme}-{number}.pub"
        if request.param == "ours":
            porta.ok("key", "new", "--scheme", scheme, "-o", private)
            porta.ok("key", "public", private, "-o", public)
        else:
            espsecure("generate-signing-key", "--version", 2, "--scheme",
                      scheme, private)
            espsecure("extract-public-key", "--version", 2, "--keyfile",
                      private, public)
        made[scheme, number] = private, public
        return private, public

    return make


def theirs(path, key, out, version=2, more=()):
    espsecure("sign-data", "--version", version, "--keyfile", key, "--output",
              out, *more, path)
    return out


def ours(porta, path, key, out, scheme):
    porta.ok("image", "sign", "--scheme", scheme, "--key", key, path, "-o",
             out)
    return out


@pytest.mark.parametrize("scheme", V2)
def test_key_ids(porta, keys, tmp_path, scheme):
    private, public = keys(scheme)
    for key in (private, public):
        out = tmp_path / f"{key.name}.digest"
        espsecure("digest-sbv2-public-key", "--keyfile", key, "--output", out)
        assert porta.ok("key", "digest", key).out.strip() == \
            out.read_bytes().hex()


@pytest.mark.parametrize("scheme", V2)
def test_what_it_signs_we_accept(porta, keys, image, tmp_path, scheme):
    signed = theirs(image(), keys(scheme)[0], tmp_path / "signed")
    porta.ok("image", "verify", signed, "--key", keys(scheme)[1])
    assert porta("image", "verify", signed, "--key",
                 keys(scheme, 1)[1]).code == 1


@pytest.mark.parametrize("scheme", V2)
def test_what_we_sign_it_accepts(porta, keys, image, tmp_path, scheme):
    signed = ours(porta, image(), keys(scheme)[0], tmp_path / "signed", scheme)
    said = espsecure("verify-signature", "--version", 2, "--keyfile",
                     keys(scheme)[1], signed)
    assert "verification successful" in said, said
    espsecure("verify-signature", "--version", 2, "--keyfile",
              keys(scheme, 1)[1], signed, ok=False)


def test_v1(porta, keys, image, tmp_path):
    """Deterministic, so both make the same file."""
    private, public = keys("ecdsa256")
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
def test_blocks_of_both(porta, keys, image, tmp_path, scheme):
    """One block of theirs, one of ours, one of theirs."""
    first = theirs(image(), keys(scheme)[0], tmp_path / "1")
    second = ours(porta, first, keys(scheme, 1)[0], tmp_path / "2", scheme)
    third = tmp_path / "3"
    shutil.copy(second, third)
    espsecure("sign-data", "--version", 2, "--keyfile", keys(scheme, 2)[0],
              "--append-signatures", third)
    porta.ok("image", "verify", third, "--need-keys", 3, *[
        a for n in range(3) for a in ("--key", keys(scheme, n)[1])])
    for number in range(3):
        espsecure("verify-signature", "--version", 2, "--keyfile",
                  keys(scheme, number)[1], third)
    said = espsecure("signature-info-v2", third)
    assert said.count("is valid") == 3, said


def test_a_key_set_signed_by_it(porta, keys, image, tmp_path):
    private, public = keys("ecdsa256")
    plain, signed = tmp_path / "plain", tmp_path / "signed"
    porta.ok("key", "set", public, keys("ecdsa256", 1)[1], "--set-version", 7,
             "-o", plain)
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
