"""Encrypted images: ours opened by others and theirs by us, what the command
says of them, and updates that decrypt.

"Others" is Python's cryptography, with the format written down here a second
time, and the reference's esp_enc_img_gen.py where PORTA_ENC_IMG_GEN names it
(component espressif/esp_encrypted_img, folder tools)."""
import hashlib
import os
import struct
import subprocess
import sys
import time

import pytest

from test_update_resume import Serve, is_kept, update, www  # noqa: F401
from conftest import boot_of

pytest.importorskip("cryptography")
from cryptography.exceptions import InvalidTag  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import (  # noqa: E402
    ec, padding, rsa)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: E402

VECTORS = os.path.join(os.environ.get("PORTA_SOURCE", os.path.join(
    os.path.dirname(__file__), "..", "..")), "test", "vectors", "encrypted")
SALT = bytes.fromhex("0e2160642dae76d33448e43d7720123d"
                     "9f3b1eceb88e573a4e8f7fb94ff0c869")
TOOL = os.environ.get("PORTA_ENC_IMG_GEN")
SCHEMES = ["rsa3072", "ecies256", "hmac"]


def test_a_key_is_not_overwritten(porta, image, tmp_path):
    key, app = tmp_path / "key", image()
    porta.ok("key", "new", "--scheme", "hmac", "-o", key)
    before = key.read_bytes()
    for verb in ["encrypt", "decrypt"]:
        ended = porta("image", verb, "--key", key, app, "-o",
                      tmp_path / "." / "key")
        assert ended.code == 1 and "works on" in ended.err
        assert key.read_bytes() == before


def vector(name):
    return os.path.join(VECTORS, name)


def private_key(path):
    data = open(path, "rb").read()
    if len(data) != 32:
        return serialization.load_pem_private_key(data, None)
    scalar = hashlib.pbkdf2_hmac("sha256", data, SALT, 2048)
    return ec.derive_private_key(int.from_bytes(scalar, "big"),
                                 ec.SECP256R1())


def ecies_key(private, public, salt):
    shared = private.exchange(ec.ECDH(), public)
    return HKDF(hashes.SHA256(), 32, salt, b"_esp_enc_img_ecc").derive(shared)


def others_encrypt(plain, key):
    if isinstance(key, rsa.RSAPrivateKey):
        aes = os.urandom(32)
        wrapped = key.public_key().encrypt(aes, padding.PKCS1v15())
    else:
        once, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(32)
        aes = ecies_key(once, key.public_key(), salt)
        wrapped = once.public_key().public_bytes(
            serialization.Encoding.X962,
            serialization.PublicFormat.UncompressedPoint)[1:] + salt
    iv = os.urandom(16)
    sealed = AESGCM(aes).encrypt(iv, plain, None)
    return struct.pack("<I384s16sI16s88x", 0x0788b6cf, wrapped, iv,
                       len(plain), sealed[-16:]) + sealed[:-16]


def others_decrypt(data, key):
    magic, wrapped, iv, size, tag = struct.unpack("<I384s16sI16s", data[:424])
    assert magic == 0x0788b6cf and data[424:512] == bytes(88)
    assert len(data) == 512 + size
    if isinstance(key, rsa.RSAPrivateKey):
        aes = key.decrypt(wrapped, padding.PKCS1v15())
    else:
        assert wrapped[96:] == bytes(288)
        point = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x04" + wrapped[:64])
        aes = ecies_key(key, point, wrapped[64:96])
    return AESGCM(aes).decrypt(iv, data[512:] + tag, None)


@pytest.fixture(scope="module", params=SCHEMES)
def keys(request, porta, tmp_path_factory):
    """(private, public, scheme of images), made by the command"""
    folder = tmp_path_factory.mktemp(request.param)
    private, public = folder / "key", folder / "key.pub"
    porta.ok("key", "new", "--scheme", request.param, "-o", private)
    porta.ok("key", "public", private, "-o", public)
    return private, public, ("rsa3072" if request.param == "rsa3072"
                             else "ecies256")


# --- both ways ----------------------------------------------------------------

@pytest.mark.parametrize("size", [1, 17, 100001])
def test_others_open_ours(porta, keys, tmp_path, size):
    private, public, scheme = keys
    plain, out = tmp_path / "plain", tmp_path / "out"
    plain.write_bytes(os.urandom(size))
    for key in [public, private]:
        porta.ok("image", "encrypt", "--key", key, "--scheme", scheme, plain,
                 "-o", out)
        assert (others_decrypt(out.read_bytes(), private_key(private)) ==
                plain.read_bytes())


@pytest.mark.parametrize("size", [4097])
def test_we_open_theirs(porta, keys, tmp_path, size):
    plain = os.urandom(size)
    (tmp_path / "enc").write_bytes(
        others_encrypt(plain, private_key(keys[0])))
    porta.ok("image", "decrypt", "--key", keys[0], tmp_path / "enc", "-o",
             tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == plain
    assert os.stat(tmp_path / "out").st_mode & 0o777 == 0o600


def test_no_two_are_alike(porta, tmp_path):
    for name in "ab":
        porta.ok("image", "encrypt", "--key", vector("ecies256.pub.pem"),
                 vector("plain.bin"), "-o", tmp_path / name)
    a, b = [(tmp_path / n).read_bytes() for n in "ab"]
    for part in [slice(4, 68), slice(68, 100), slice(388, 404),
                 slice(408, 424), slice(512, None)]:
        assert a[part] != b[part]


def test_reference_files(porta, tmp_path):
    folder = os.environ.get("PORTA_TEST_DATA")
    if not folder:
        pytest.skip("PORTA_TEST_DATA is not set: no files of the reference")
    folder = os.path.join(folder, "encrypted")
    out = tmp_path / "out"
    porta.ok("image", "decrypt", "--key",
             f"{folder}/rsa3072-test-only-private.pem",
             f"{folder}/rsa3072.bin", "-o", out)
    assert hashlib.sha256(out.read_bytes()).hexdigest().startswith(
        "a230a5aae39e351c0d806acb453662df")
    scalar = int("831793660de4913366ae1e379b2ceb43"
                 "17c88700cc0791d98e5a2a2d5c71af66", 16)
    (tmp_path / "key.pem").write_bytes(
        ec.derive_private_key(scalar, ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
    porta.ok("image", "decrypt", "--key", tmp_path / "key.pem",
             f"{folder}/ecies-p256.bin", "-o", out)
    assert out.read_bytes() == b"test file\n"
    porta.ok("key", "public", f"{folder}/ecies-device-hmac-key.bin", "-o",
             tmp_path / "pub")
    assert ((tmp_path / "pub").read_text() ==
            open(f"{folder}/ecies-public.pem").read())
    info = porta.ok("image", "info", f"{folder}/rsa3072.bin", "--json").json
    assert info == {"encrypted": {
        "scheme": "rsa3072", "image_len": 11680,
        "iv": "28914ff8eba8d235bb2ffa042428b989",
        "tag": "278355dc82bd75c11631d8fa937cf022"}, "file_len": 12192}


@pytest.mark.skipif(not TOOL, reason="PORTA_ENC_IMG_GEN does not name the "
                    "reference's esp_enc_img_gen.py")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_reference_tool(porta, tmp_path, scheme, whose):
    def tool(*args):
        subprocess.run([sys.executable, TOOL, *map(str, args)], check=True,
                       cwd=tmp_path, capture_output=True, timeout=120)

    private, public = tmp_path / "key", tmp_path / "key.pub"
    if whose == "ours":
        porta.ok("key", "new", "--scheme", scheme, "-o", private)
        porta.ok("key", "public", private, "-o", public)
    else:
        tool("--generate_rsa_key")
        tool("--generate_ecc_key")
        names = {"rsa3072": ("rsa_priv_key.pem", "rsa_pub_key.pem"),
                 "hmac": ("device_hmac_key.bin", "device_pub_key.pem")}
        if scheme not in names:
            pytest.skip("that tool makes no private P-256 key in PEM")
        private, public = [tmp_path / name for name in names[scheme]]
    plain, out = tmp_path / "plain", tmp_path / "out"
    plain.write_bytes(os.urandom(30001))
    tool("encrypt", plain, public, tmp_path / "theirs")
    porta.ok("image", "decrypt", "--key", private, tmp_path / "theirs", "-o",
             out)
    assert out.read_bytes() == plain.read_bytes()
    porta.ok("image", "encrypt", "--key", public, plain, "-o",
             tmp_path / "ours")
    (tmp_path / "private.pem").write_bytes(private_key(private).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    tool("decrypt", tmp_path / "ours", tmp_path / "private.pem", out)
    assert out.read_bytes() == plain.read_bytes()


# --- what the command says -------------------------------------------------------

BAD = [
    # claim, what is done to the file, words of the sentence
    ("tag", lambda b: b[:408] + bytes([b[408] ^ 1]) + b[409:], "tag does not"),
    ("body", lambda b: b[:-1] + bytes([b[-1] ^ 1]), "tag does not fit"),
    ("IV", lambda b: b[:390] + bytes([b[390] ^ 1]) + b[391:], "tag does not"),
    ("key", lambda b: b[:9] + bytes([b[9] ^ 1]) + b[10:], "for another key"),
    ("magic", lambda b: b"\xce" + b[1:], "no encrypted image"),
    ("cut", lambda b: b[:-1], "ends after 1511 of 1512"),
    ("head cut", lambda b: b[:300], "ends after 300 bytes"),
    ("empty", lambda b: b"", "ends after 0 bytes"),
    ("trailing", lambda b: b + b"x", "should end after 1512"),
    ("size 0", lambda b: b[:404] + bytes(4) + b[408:], "says that it is empty"),
    ("size larger", lambda b: b[:407] + b"\x01" + b[408:], "of 16778728"),
    ("not encrypted", lambda b: b"\xe9" + b[1:], "not encrypted"),
]


@pytest.mark.parametrize("claim,change,says", BAD, ids=[b[0] for b in BAD])
def test_bad_files(porta, tmp_path, claim, change, says):
    scheme = "rsa3072" if len(claim) % 2 else "ecies256"
    path, out = tmp_path / "bad", tmp_path / "out"
    path.write_bytes(change(open(vector(scheme + ".bin"), "rb").read()))
    ended = porta("image", "decrypt", "--key", vector(scheme + ".pem"), path,
                  "-o", out)
    assert ended.code == 1 and says in ended.err, ended
    assert not out.exists()


@pytest.mark.parametrize("key,says", [
    ("plain.bin", "holds no key"), ("ecies256.pub.pem", "is a public key"),
    ("ecies256.pem", "for another key"), ("absent", "absent")])
def test_bad_keys(porta, tmp_path, key, says):
    ended = porta("image", "decrypt", "--key", vector(key),
                  vector("rsa3072.bin"), "-o", tmp_path / "out")
    assert ended.code == 1 and says in ended.err, ended


def test_what_is_not_encrypted(porta, tmp_path):
    out = tmp_path / "out"
    for path, key, more, code, says in [
            (vector("rsa3072.bin"), "rsa3072.pem", [], 1, "already"),
            ("/dev/null", "rsa3072.pem", [], 1, "empty"),
            (vector("plain.bin"), "rsa3072.pem", ["--scheme", "ecies256"], 2,
             "is a key for rsa3072"),
            (vector("plain.bin"), "rsa3072.pem", ["--scheme", "v1"], 2,
             "rsa3072 or ecies256")]:
        ended = porta("image", "encrypt", "--key", vector(key), path, "-o",
                      out, *more)
        assert ended.code == code and says in ended.err, ended
        assert not out.exists()
    assert porta("image", "encrypt", vector("plain.bin"), "-o", out).code == 2
    assert porta("image", "decrypt", "--key", "k", "f").code == 2


def test_info(porta, tmp_path):
    ended = porta.ok("image", "info", vector("ecies256.bin"))
    assert "encrypted image, ECIES-P256" in ended.out
    assert "1,000 bytes" in ended.out and "1,512 bytes" in ended.out
    cut = tmp_path / "cut"
    for size, says in [(1511, "1511 bytes, and its head says 1512"),
                       (100, "head of an encrypted image alone has 512")]:
        cut.write_bytes(open(vector("ecies256.bin"), "rb").read()[:size])
        ended = porta("image", "info", cut, "--json")
        assert ended.code == 1 and says in ended.json["error"]["message"]
    for verb in [["verify"], ["sign", "--scheme", "rsa3072", "--key",
                              vector("rsa3072.pem"), "-o", tmp_path / "o"]]:
        ended = porta("image", *verb, vector("ecies256.bin"))
        assert ended.code == 1 and "is an encrypted image" in ended.err, ended


def test_a_key_is_not_replaced(porta, tmp_path):
    path = tmp_path / "key"
    for scheme, size in [("hmac", 32), ("ecies256", None)]:
        porta.ok("key", "new", "--scheme", scheme, "-o", path)
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert size is None or os.path.getsize(path) == size
        assert porta("key", "new", "--scheme", scheme, "-o", path).code == 1
        path.unlink()
    assert porta("key", "new", "--scheme", "aes", "-o", path).code == 2
    ended = porta("key", "public", vector("ecies256.hmac"), "--raw", "-o",
                  path)
    assert ended.code == 2 and not path.exists(), ended


# --- updates -----------------------------------------------------------------------

@pytest.fixture
def offer(porta, www):  # noqa: F811
    """offer(key) encrypts the image that the server has"""
    plain = (www / "fw.bin").read_bytes()

    def make(key="ecies256.pem", change=lambda b: b):
        (www / "plain").write_bytes(plain)
        porta.ok("image", "encrypt", "--key", vector(key), www / "plain",
                 "-o", www / "fw.bin")
        (www / "plain").unlink()
        (www / "fw.bin").write_bytes(change((www / "fw.bin").read_bytes()))
        return plain

    return make


@pytest.mark.parametrize("key", ["rsa3072.pem", "ecies256.pem",
                                 "ecies256.hmac"])
def test_update(porta, flash, www, offer, tmp_path, key):  # noqa: F811
    path, plain = flash(), offer(key)
    with Serve(porta, www, tmp_path / "certs") as server:
        done = update(porta, path, server.port, server.ca, "--decrypt",
                      vector(key)).json
        assert done["result"] == "updated" and done["heap_left"] == 0, done
        assert done["bytes_received"] == len(plain) + 512
        # The same file again costs one request.
        again = update(porta, path, server.port, server.ca, "--decrypt",
                       vector(key))
        assert again.code != 0 and "confirm" in again.err
    porta.ok("flash", "read", path, "ota_1", tmp_path / "slot")
    assert (tmp_path / "slot").read_bytes()[:len(plain)] == plain
    assert porta.ok("reset", path, "--json").json["boot"] == "ota_1"


WRONG = [
    # claim, key of the image, key of the session, change, words
    ("another key", "ecies256.pem", "rsa3072.pem", lambda b: b,
     "for another key than this RSA-3072 key"),
    ("another P-256 key", "ecies256.pem", "OTHER", lambda b: b,
     "most likely it was encrypted for another key"),
    ("no key", "ecies256.pem", None, lambda b: b, "is an encrypted image"),
    ("the tag", "rsa3072.pem", "rsa3072.pem", BAD[0][1], "tag does not fit"),
    ("a byte of the body", "ecies256.pem", "ecies256.pem",
     lambda b: b[:530] + bytes([b[530] ^ 1]) + b[531:], ""),
    ("cut", "rsa3072.pem", "rsa3072.pem", lambda b: b[:-1], "own head says"),
    ("trailing", "ecies256.pem", "ecies256.pem", lambda b: b + b"x",
     "own head says"),
    ("half a head", "ecies256.pem", "ecies256.pem", lambda b: b[:256],
     "ends after 256 bytes"),
    ("not encrypted", "ecies256.pem", "ecies256.pem",
     lambda b: b"\xe9" + b[1:], "not encrypted"),
    ("a page", "ecies256.pem", "ecies256.pem", lambda b: b"<html>" + b,
     "no encrypted image: it begins with 3c 68 74 6d"),
]


@pytest.mark.parametrize("claim,sealed,key,change,says", WRONG,
                         ids=[w[0] for w in WRONG])
def test_wrong_updates(porta, flash, www, offer, tmp_path,  # noqa: F811
                       claim, sealed, key, change, says):
    path = flash()
    offer(sealed, change)
    before = boot_of(porta, path)
    if key == "OTHER":
        key = tmp_path / "other"
        porta.ok("key", "new", "--scheme", "ecies256", "-o", key)
    with Serve(porta, www, tmp_path / "certs") as server:
        ended = update(porta, path, server.port, server.ca,
                       *(["--decrypt", vector(key)] if key else []))
    says = says.replace("is an encrypted image", "sent an encrypted image")
    assert ended.code == 1 and says in ended.json["error"]["message"], ended
    assert boot_of(porta, path) == before
    for text in [ended.out, ended.err]:
        assert "PRIVATE" not in text


def test_bad_key_is_said_before_connecting(porta, flash):
    path = flash()
    for key, says in [("plain.bin", "holds no key"), ("absent", "absent"),
                      ("ecies256.pub.pem", "takes the private one")]:
        ended = porta("update", path, "https://localhost:1/x", "--decrypt",
                      vector(key), "--insecure")
        assert ended.code == 1 and says in ended.err, ended


@pytest.mark.parametrize("key", ["rsa3072.pem", "ecies256.hmac"])
def test_goes_on(porta, flash, www, offer, tmp_path, key):  # noqa: F811
    path, plain = flash(), offer(key)
    certs, more = tmp_path / "certs", ["--decrypt", vector(key)]
    with Serve(porta, www, certs, "--fault", "truncate@200000") as server:
        first = update(porta, path, server.port, server.ca, *more)
    assert first.code == 1 and first.json["checkpoints"] > 0, first
    with Serve(porta, www, certs, like=server) as again:
        second = update(porta, path, again.port, again.ca, *more).json
    assert second["result"] == "updated", second
    assert second["resumed_from"] == (200000 - 512) // 4096 * 4096
    assert (second["bytes_received"] ==
            len(plain) - second["resumed_from"] + 512)
    porta.ok("flash", "read", path, "ota_1", tmp_path / "slot")
    assert (tmp_path / "slot").read_bytes()[:len(plain)] == plain
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_1"


def test_encrypted_anew_is_not_spliced(porta, flash, www,  # noqa: F811
                                       offer, tmp_path):
    """The same image, encrypted once more: all of it comes."""
    path, _ = flash(), offer()
    certs, more = tmp_path / "certs", ["--decrypt", vector("ecies256.pem")]
    with Serve(porta, www, certs, "--fault", "truncate@200000") as server:
        assert update(porta, path, server.port, server.ca, *more).code == 1
    (www / "fw.bin").write_bytes(others_encrypt(
        others_decrypt((www / "fw.bin").read_bytes(),
                       private_key(vector("ecies256.pem"))),
        private_key(vector("ecies256.pem"))))
    with Serve(porta, www, certs, like=server) as again:
        second = update(porta, path, again.port, again.ca, *more).json
    assert second["result"] == "updated" and second["resumed_from"] == 0
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_1"


def test_killed_and_again(porta, flash, www, offer, tmp_path):  # noqa: F811
    """SIGKILL is a power cut: the next try goes on."""
    path, plain = flash(), offer("ecies256.hmac")
    kept = path.with_name(path.name + ".porta")
    args = ["--decrypt", vector("ecies256.hmac")]
    with Serve(porta, www, tmp_path / "certs", "--fault",
               "stall@200000") as server:
        url = f"https://localhost:{server.port}/fw.bin"
        first = porta.start("update", path, url, "--cacert", server.ca,
                            "--chip-rev", "100", *args,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not is_kept(kept):
            assert first.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        first.kill()
        first.wait()
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"
    with Serve(porta, www, tmp_path / "certs", like=server) as again:
        second = update(porta, path, again.port, again.ca, *args).json
    assert second["result"] == "updated", second
    assert second["resumed_from"] >= 65536
    porta.ok("flash", "read", path, "ota_1", tmp_path / "slot")
    assert (tmp_path / "slot").read_bytes()[:len(plain)] == plain
