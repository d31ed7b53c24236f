"""Files of signing keys: made, read, refused, and not lost."""
import hashlib
import stat
import subprocess

import pytest

from test_sign import SCHEMES, keys, sign  # noqa: F401


@pytest.mark.parametrize("scheme", SCHEMES)
def test_new_key_is_private(porta, tmp_path, scheme):
    path = tmp_path / "k.pem"
    porta.ok("key", "new", "--scheme", scheme, "-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    ended = porta("key", "new", "--scheme", scheme, "-o", path)
    assert ended.code == 1 and path.read_bytes() == before
    # OpenSSL reads it, and both know the public half.
    public = subprocess.run(["openssl", "pkey", "-in", path, "-pubout"],
                            capture_output=True, check=True).stdout
    porta.ok("key", "public", path, "-o", tmp_path / "p.pem")
    assert (tmp_path / "p.pem").read_bytes() == public
    assert porta.ok("key", "digest", path).out == \
        porta.ok("key", "digest", tmp_path / "p.pem").out


@pytest.mark.parametrize("verb", [
    ("image", "sign", "--scheme", "ecdsa256", "--key", "KEY", "APP", "-o"),
    ("key", "public", "KEY", "-o"),
    ("key", "set", "KEY", "--set-version", "1", "-o"),
    ("image", "create", "--chip", "esp32", "--project", "p", "--version", "1",
     "--segment", "0x20000000:APP", "-o"),
    ("flash", "create", "--chip", "esp32", "--table", "two_ota_large", "-o")])
def test_a_private_key_is_not_overwritten(porta, image, tmp_path, verb):
    key = tmp_path / "k.pem"
    porta.ok("key", "new", "--scheme", "ecdsa256", "-o", key)
    before = key.read_bytes()
    app = image()
    ended = porta(*[a.replace("APP", str(app)).replace("KEY", str(key))
                    for a in verb], key)
    assert ended.code == 1 and "holds a private key" in ended.err, ended
    assert key.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} <= {
        "k.pem", "body0", app.name}


def test_raw_public_key(porta, keys, sign, image, tmp_path):
    private, public = keys("v1")
    porta.ok("key", "public", private, "--raw", "-o", tmp_path / "raw")
    assert len((tmp_path / "raw").read_bytes()) == 64
    assert porta.ok("key", "digest", tmp_path / "raw").out == \
        porta.ok("key", "digest", public).out
    porta.ok("image", "verify", sign(image(), "v1"), "--key", tmp_path / "raw")
    ended = porta("key", "public", keys("rsa3072")[0], "--raw", "-o",
                  tmp_path / "no")
    assert ended.code == 2 and not (tmp_path / "no").exists()


@pytest.mark.parametrize("short", ["x", "y", "private_value"])
def test_keys_with_leading_zeros(porta, image, tmp_path, short):
    """A number that is a byte shorter is as long as the others in files."""
    ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    from cryptography.hazmat.primitives import serialization as ser

    while True:
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.private_numbers()
        if short == "private_value":
            key = ec.derive_private_key(numbers.private_value >> 8,
                                        ec.SECP256R1())
            numbers = key.private_numbers()
            break
        if getattr(numbers.public_numbers, short) >> 248 == 0:
            break
    private, raw = tmp_path / "k.pem", tmp_path / "raw"
    private.write_bytes(key.private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()))
    porta.ok("key", "public", private, "--raw", "-o", raw)
    public = numbers.public_numbers
    assert raw.read_bytes() == public.x.to_bytes(32, "big") + \
        public.y.to_bytes(32, "big")
    assert porta.ok("key", "digest", raw).out.strip() == hashlib.sha256(
        b"\x02" + public.x.to_bytes(32, "little") +
        public.y.to_bytes(32, "little")).hexdigest()
    for scheme in ["v1", "ecdsa256"]:
        out = tmp_path / scheme
        porta.ok("image", "sign", "--scheme", scheme, "--key", private,
                 image(), "-o", out)
        porta.ok("image", "verify", out, "--key", raw)


BAD_KEYS = [
    ("an empty file", b"", "holds no key"),
    ("a text", b"hello\n", "holds no key"),
    ("PEM of nothing",
     b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
     "holds no key"),
    ("a cut PEM", None, "holds no key"),
    ("64 bytes that are no point", b"\x01" * 64, "holds no key"),
    ("64 zeros", bytes(64), "holds no key"),
    ("65 bytes", b"\x04" + b"\x01" * 64, "holds no key"),
]


@pytest.mark.parametrize("claim,content,word", BAD_KEYS,
                         ids=[row[0] for row in BAD_KEYS])
def test_bad_key_files(porta, keys, tmp_path, claim, content, word):
    if content is None:
        content = keys("ecdsa256")[0].read_bytes()[:100]
    path = tmp_path / "bad.pem"
    path.write_bytes(content)
    ended = porta("key", "digest", path)
    assert ended.code == 1 and word in ended.err, ended


@pytest.mark.parametrize("args,word", [
    (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "2048 bits"),
    (["RSA", "-pkeyopt", "rsa_keygen_bits:4096"], "4096 bits"),
    (["RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-pkeyopt",
      "rsa_keygen_pubexp:3"], "e 65537"),
    (["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "521 bits"),
    (["ED25519"], "holds no key")])
def test_keys_that_sign_no_images(porta, tmp_path, args, word):
    path = tmp_path / "k.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", *args, "-out", path],
                   check=True, capture_output=True)
    ended = porta("key", "digest", path)
    assert ended.code == 1 and word in ended.err, ended


def test_key_with_a_password(porta, keys, tmp_path):
    path = tmp_path / "k.pem"
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", keys("ecdsa256")[0],
                    "-passout", "pass:x", "-out", path], check=True)
    ended = porta("key", "digest", path)
    assert ended.code == 1 and "password" in ended.err, ended
