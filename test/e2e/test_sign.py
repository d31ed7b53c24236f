"""porta image sign and verify, porta key: what signs, who is trusted, and what
a device does with it. What the reference tool made is in test/vectors."""
import os
import pathlib
import struct
import zlib

import pytest

import nginx
from conftest import boot_of, real_firmware

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "signed"
SCHEMES = ["v1", "rsa3072", "ecdsa256", "ecdsa384"]
KEYSTORE = "porta_keys, data, 0x70, , 8K\n"


@pytest.fixture(scope="session")
def keys(porta, tmp_path_factory):
    """keys("rsa3072", n) -> (private, public) PEM files, made once"""
    folder, made = tmp_path_factory.mktemp("keys"), {}

    def make(scheme, number=0):
        if (scheme, number) not in made:
            private = folder / f"{scheme}-{number}.pem"
            public = folder / f"{scheme}-{number}.pub"
            porta.ok("key", "new", "--scheme", scheme, "-o", private)
            porta.ok("key", "public", private, "-o", public)
            made[scheme, number] = private, public
        return made[scheme, number]

    return make


@pytest.fixture
def sign(porta, keys, tmp_path):
    """sign(image, scheme, number) -> path of the signed image"""
    made = []

    def make(path, scheme="ecdsa256", number=0, extra=()):
        out = tmp_path / f"signed{len(made)}.bin"
        made.append(out)
        porta.ok("image", "sign", "--scheme", scheme, "--key",
                 keys(scheme, number)[0], path, "-o", out, *extra)
        return out

    return make


# --- what the reference tool made ---------------------------------------------

@pytest.mark.parametrize("scheme", SCHEMES)
def test_vectors(porta, scheme):
    name = "ecdsa256" if scheme == "v1" else scheme
    path, key = VECTORS / f"app-{scheme}.bin", VECTORS / f"{name}.pub.pem"
    said = porta.ok("image", "verify", path, "--key", key).out
    assert f"signed as asked for: {scheme}" in said
    other = VECTORS / ("other256.pub.pem" if name == "ecdsa256"
                       else "ecdsa256.pub.pem")
    assert porta("image", "verify", path, "--key", other).code == 1
    ended = porta("image", "verify", VECTORS / "app.bin", "--key", key)
    assert ended.code == 1 and "not signed" in ended.err


@pytest.mark.parametrize("keys_,need,code", [
    (["ecdsa256"], 1, 0), (["other256"], 1, 0), (["third256"], 1, 0),
    (["ecdsa256", "other256", "third256"], 3, 0),
    (["third256", "ecdsa256"], 2, 0), (["third256", "ecdsa256"], 3, 2)])
def test_vector_with_three_keys(porta, keys_, need, code):
    args = [a for k in keys_ for a in ("--key", VECTORS / f"{k}.pub.pem")]
    ended = porta("image", "verify", VECTORS / "app-three.bin", *args,
                  "--need-keys", need)
    assert ended.code == code, ended


def test_info_of_vectors(porta):
    path = VECTORS / "app-three.bin"
    found = porta.ok("image", "info", path, "--json").json["signatures"]
    assert [s["scheme"] for s in found] == ["v2-ecdsa256"] * 3
    assert all(s["right"] for s in found)
    for s, name in zip(found, ["ecdsa256", "other256", "third256"]):
        key = VECTORS / f"{name}.pub.pem"
        assert porta.ok("key", "digest", key).out.strip() == s["key_id"]


@pytest.mark.parametrize("name,key", [
    ("bootloader_signed.bin", "ecdsa256"),
    ("bootloader_signed_v2_rsa.bin", "rsa"),
    ("bootloader_signed_v2_ecdsa256.bin", "ecdsa256"),
    ("bootloader_signed_v2_ecdsa384.bin", "ecdsa384")])
def test_real_bootloaders(porta, name, key):
    folder = os.path.join("..", "signed")
    path = real_firmware(os.path.join(folder, name))
    key = real_firmware(os.path.join(
        folder, f"{key}_secure_boot_signing_pubkey.pem"))
    porta.ok("image", "verify", path, "--key", key)
    other = VECTORS / ("rsa3072.pub.pem" if "rsa" in name
                       else "ecdsa384.pub.pem" if "384" in name
                       else "ecdsa256.pub.pem")
    ended = porta("image", "verify", path, "--key", other)
    assert ended.code == 1, ended


# --- signing -----------------------------------------------------------------------

@pytest.mark.parametrize("scheme", SCHEMES)
def test_sign_and_verify(porta, keys, sign, image, scheme):
    path = image()
    before = path.read_bytes()
    out = sign(path, scheme)
    assert path.read_bytes() == before
    assert out.read_bytes().startswith(before)
    porta.ok("image", "verify", out, "--key", keys(scheme)[1])
    ended = porta("image", "verify", out, "--key", keys(scheme, 1)[1])
    assert ended.code == 1, ended
    data = bytearray(out.read_bytes())
    data[100] ^= 1
    out.write_bytes(data)
    assert porta("image", "verify", out, "--key", keys(scheme)[1]).code == 1


@pytest.mark.parametrize("scheme", ["v1", "ecdsa256", "ecdsa384"])
def test_ecdsa_is_reproducible(sign, image, scheme):
    path = image()
    assert sign(path, scheme).read_bytes() == sign(path, scheme).read_bytes()


def test_three_signatures_and_no_more(porta, keys, sign, image, tmp_path):
    path = image()
    for number in range(3):
        path = sign(path, number=number)
        found = porta.ok("image", "info", path, "--json").json["signatures"]
        assert len(found) == number + 1 and all(s["right"] for s in found)
    args = ["image", "sign", "--scheme", "ecdsa256", path, "-o",
            tmp_path / "four"]
    ended = porta(*args, "--key", keys("ecdsa256", 3)[0])
    assert ended.code == 1 and "three signatures" in ended.err
    assert not (tmp_path / "four").exists()
    porta.ok("image", "verify", path, "--need-keys", 3, *[
        a for n in range(3) for a in ("--key", keys("ecdsa256", n)[1])])


def refused(porta, keys, path, scheme, word, out, number=0):
    ended = porta("image", "sign", "--scheme", scheme, "--key",
                  keys(scheme, number)[0], path, "-o", out)
    assert ended.code == 1 and word in ended.err, ended
    assert not out.exists()


def test_what_is_not_signed(porta, keys, sign, image, tmp_path):
    out, path = tmp_path / "out", image()
    refused(porta, keys, sign(path), "ecdsa256", "already", out)
    refused(porta, keys, sign(path, "v1"), "v1", "already", out, 1)
    refused(porta, keys, sign(path, "v1"), "ecdsa256", "no signature", out)
    refused(porta, keys, sign(path), "v1", "already", out)
    refused(porta, keys, sign(path), "rsa3072", "another scheme", out)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(path.read_bytes()[:-1] + b"x")
    refused(porta, keys, damaged, "ecdsa256", "SHA-256", out)
    html = tmp_path / "html"
    html.write_bytes(b"<html>" * 1000)
    refused(porta, keys, html, "ecdsa256", "web page", out)


def test_sectors_that_take_no_block(porta, keys, sign, image, tmp_path):
    """A block that is damaged, or made for other content, is not kept."""
    signed = sign(image()).read_bytes()
    at, out = len(signed) - 4096, tmp_path / "out"
    for change in [at + 1196, at + 4]:
        data = bytearray(signed)
        data[change] ^= 1
        if change == at + 4:
            data[at + 1196:at + 1200] = struct.pack(
                "<I", zlib.crc32(data[at:at + 1196]))
        path = tmp_path / "in"
        path.write_bytes(data)
        refused(porta, keys, path, "ecdsa256", "damaged, of another", out, 1)


def test_padding_in_the_file_moves_no_signature(porta, keys, sign, image,
                                                tmp_path):
    plain = image()
    padded = tmp_path / "padded"
    padded.write_bytes(plain.read_bytes() + b"\xff" * 70000)
    for scheme in ["v1", "ecdsa256"]:
        assert sign(padded, scheme).read_bytes() == \
            sign(plain, scheme).read_bytes()


def test_data_that_is_no_image(porta, keys, sign, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(os.urandom(5000))
    once = sign(path, extra=["--data"])
    assert len(once.read_bytes()) == 8192 + 4096
    twice = sign(once, number=1, extra=["--data"])
    data = twice.read_bytes()
    assert len(data) == 8192 + 4096
    assert data[8192] == data[8192 + 1216] == 0xE7
    assert data[8192 + 2432] == 0xFF


@pytest.mark.parametrize("args,word", [
    (["--key", "k", "-o", "o"], "--scheme"),
    (["--scheme", "v1", "-o", "o"], "--key"),
    (["--scheme", "v1", "--key", "k"], "-o"),
    (["--scheme", "v3", "--key", "k", "-o", "o"], "v3")])
def test_sign_usage(porta, tmp_path, args, word):
    ended = porta("image", "sign", *args, tmp_path / "x")
    assert ended.code == 2 and word in ended.err, ended


def test_signing_takes_the_right_key(porta, keys, image, tmp_path):
    for key, code, word in [(keys("ecdsa256")[1], 1, "public key"),
                            (keys("rsa3072")[0], 2, "not a key of"),
                            (tmp_path / "none", 1, "cannot open")]:
        ended = porta("image", "sign", "--scheme", "ecdsa256", "--key", key,
                      image(), "-o", tmp_path / "out")
        assert ended.code == code and word in ended.err, ended
    assert not (tmp_path / "out").exists()


# --- devices -------------------------------------------------------------------------

def device(porta, keys, tmp_path, apps, table="two_ota", extra=(),
           scheme="ecdsa256"):
    path = tmp_path / "device.bin"
    ended = porta("flash", "create", "-o", path, "--chip", "esp32", "--table",
                  table, "--require-signed", scheme, "--verify-key",
                  keys(scheme)[1], *extra,
                  *[a for app in apps for a in ("--app", app)])
    return path, ended


@pytest.mark.parametrize("scheme", SCHEMES)
def test_device_boots_what_is_signed(porta, keys, sign, image, tmp_path,
                                     scheme):
    good = sign(image(), scheme)
    path, made = device(porta, keys, tmp_path, [f"factory={good}"],
                        scheme=scheme)
    assert made.code == 0, made
    assert boot_of(porta, path)[0] == "factory"
    porta.ok("flash", "write", path, "factory", image())
    ended = porta.ok("explain", path)
    assert "nothing boots" in ended.out and "not signed" in ended.out
    # A file of options is what decides, and the command line over it.
    other = keys(scheme, 1)[1]
    porta.ok("flash", "write", path, "factory", good)
    assert porta.ok("explain", path, "--verify-key", other,
                    "--json").json["boot"] is None
    porta.ok("flash", "write", path, "factory", sign(image(), scheme, 1))
    assert porta.ok("explain", path, "--verify-key", other,
                    "--json").json["boot"] == "factory"


def test_signed_on_update_only(porta, keys, sign, image, tmp_path):
    def boots(path, *args):
        return porta.ok("explain", path, *args, "--json").json["boot"]

    plain = image()
    path, made = device(porta, keys, tmp_path, [f"factory={plain}"],
                        extra=["--no-signed-on-boot"])
    assert made.code == 0, made
    shown = porta.ok("flash", "show", path, "--json").json["options"]
    assert shown["require_signed"] and not shown["signed_on_boot"]
    for verb in [("flash", "show"), ("key", "show"), ("explain",)]:
        assert "required of updates, not at boot" in porta.ok(*verb, path).out
    said = porta.ok("key", "show", path, "--json").json
    assert said["required"] and not said["at_boot"]
    said = porta.ok("explain", path, "--json").json
    assert said["require_signed"] and not said["signed_on_boot"]
    assert boots(path) == "factory"
    # The command line makes the bootloader ask, and does not ask of itself.
    assert boots(path, "--signed-on-boot") is None
    assert boots(path, "--verify-key", keys("ecdsa256", 1)[1]) == "factory"
    signed, _ = device(porta, keys, tmp_path, [f"factory={sign(plain)}"])
    shown = porta.ok("flash", "show", signed, "--json").json["options"]
    assert shown["require_signed"] and shown["signed_on_boot"]
    for verb in [("flash", "show"), ("key", "show"), ("explain",)]:
        assert "updates and at each boot" in porta.ok(*verb, signed).out
    assert porta.ok("key", "show", signed, "--json").json["at_boot"]
    porta.ok("flash", "write", signed, "factory", plain)
    assert boots(signed) is None
    assert boots(signed, "--no-signed-on-boot") == "factory"


def test_flash_create_needs_signatures_to_leave_out(porta, tmp_path):
    ended = porta("flash", "create", "-o", tmp_path / "x", "--chip", "esp32",
                  "--table", "two_ota", "--no-signed-on-boot")
    assert ended.code == 2 and "does not require" in ended.err
    assert not (tmp_path / "x").exists()


def test_flash_create_refuses_unsigned(porta, keys, image, tmp_path):
    path, made = device(porta, keys, tmp_path, [f"factory={image()}"])
    assert made.code == 1 and "not signed" in made.err
    assert not path.exists()


@pytest.mark.parametrize("args,word", [
    (["--require-signed", "ecdsa256"], "no key"),
    (["--require-signed", "v9"], "v9"),
    (["--no-signed-on-boot"], "--no-signed-on-boot: this device does not"),
    (["--signed-on-boot"], "--signed-on-boot: this device does not"),
    (["--need-keys", "2"], "--need-keys"),
    (["--require-signed", "rsa3072", "--verify-key", "P256"], "not a key of"),
    (["--verify-key", "P256", "--verify-key", "P256"], "named already"),
    (["--verify-key", "P256", "--need-keys", "2"], "2 signatures")])
def test_usage_of_keys(porta, keys, flash, args, word):
    args = [keys("ecdsa256")[1] if a == "P256" else a for a in args]
    for verb in ["explain", "reset"]:
        ended = porta(verb, flash(), *args)
        assert ended.code == 2 and word in ended.err, ended


def test_m_of_n_at_boot(porta, keys, sign, image, tmp_path):
    one = sign(image())
    two = sign(one, number=1)
    extra = ["--verify-key", keys("ecdsa256", 1)[1], "--need-keys", 2]
    path, made = device(porta, keys, tmp_path, [f"factory={two}"],
                        extra=extra)
    assert made.code == 0, made
    assert boot_of(porta, path)[0] == "factory"
    porta.ok("flash", "write", path, "factory", one)
    said = porta.ok("explain", path).out
    assert "1 trusted keys have signed the image and 2 are needed" in said


# --- the key store ------------------------------------------------------------------

@pytest.fixture
def store(porta, keys, sign, image, tmp_path):
    """A device with a key store, and a signed factory image."""
    table = tmp_path / "table.csv"
    table.write_text("otadata, data, ota, , 0x2000\n"
                     "factory, app, factory, 0x10000, 1M\n"
                     "ota_0, app, ota_0, , 1M\n" + KEYSTORE)
    both = sign(sign(image()), number=1)
    path, made = device(porta, keys, tmp_path, [f"factory={both}"],
                        table=table)
    assert made.code == 0, made
    return path


def key_set(porta, keys, tmp_path, numbers, version, signer, extra=()):
    plain, out = tmp_path / "plain.set", tmp_path / f"v{version}.set"
    porta.ok("key", "set", *[keys("ecdsa256", n)[1] for n in numbers],
             "--set-version", version, "-o", plain, *extra)
    porta.ok("image", "sign", "--data", "--scheme", "ecdsa256", "--key",
             keys("ecdsa256", signer)[0], plain, "-o", out)
    return out


def trusted(porta, path):
    said = porta.ok("key", "show", path, "--json").json
    return [k["key_id"] for k in said["keys"] if k["trusted"]]


def test_keys_change_hands(porta, keys, store, tmp_path):
    ids = [porta.ok("key", "digest", keys("ecdsa256", n)[1]).out.strip()
           for n in range(3)]
    assert trusted(porta, store) == [ids[0]]
    stranger = key_set(porta, keys, tmp_path, [1, 2], 1, 1)
    ended = porta("key", "install", store, stranger)
    assert ended.code == 1 and "no key that the device trusts has signed it" \
        in ended.err
    ended = porta("key", "install", store, tmp_path / "plain.set")
    assert ended.code == 1 and "porta image sign --data signs it" in ended.err
    first = key_set(porta, keys, tmp_path, [0, 1], 2, 0)
    assert porta.ok("key", "install", store, first, "--json").json == {
        "result": "installed"}
    assert trusted(porta, store) == ids[:2]
    ended = porta("key", "install", store, first)
    assert ended.code == 1 and "not newer" in ended.err
    assert boot_of(porta, store)[0] == "factory"
    # Key 0 goes: the image that it signed boots by key 1.
    said = porta.ok("key", "revoke", store, keys("ecdsa256", 0)[1], "--json")
    assert said.json == {"result": "revoked"}
    assert trusted(porta, store) == [ids[1]]
    assert boot_of(porta, store)[0] == "factory"
    ended = porta("key", "revoke", store, keys("ecdsa256", 1)[1])
    assert ended.code == 1 and "too few" in ended.err
    second = key_set(porta, keys, tmp_path, [2], 3, 1)
    ended = porta("key", "install", store, second)
    assert ended.code == 1 and "nothing on the device would start" in ended.err
    assert trusted(porta, store) == [ids[1]]
    porta.ok("key", "install", store, second, "--force")
    assert trusted(porta, store) == [ids[2]]
    said = porta.ok("explain", store).out
    assert "nothing boots" in said and "no key that this device" in said


def test_revoked_key_boots_nothing(porta, keys, sign, image, store, tmp_path):
    porta.ok("key", "install", store,
             key_set(porta, keys, tmp_path, [0, 1], 2, 0))
    porta.ok("flash", "write", store, "factory", sign(image()))
    assert boot_of(porta, store)[0] == "factory"
    before = store.read_bytes()
    ended = porta("key", "revoke", store, keys("ecdsa256", 0)[1])
    assert ended.code == 1 and "nothing on the device would start" in ended.err
    assert store.read_bytes() == before
    porta.ok("key", "revoke", store, keys("ecdsa256", 0)[1], "--force")
    said = porta.ok("explain", store).out
    assert "nothing boots" in said and "revoked key" in said
    # Keys on the command line come before those of the store.
    assert porta.ok("explain", store, "--verify-key", keys("ecdsa256", 0)[1],
                    "--json").json["boot"] == "factory"


def test_a_set_of_another_scheme(porta, keys, store, tmp_path):
    """Signed as asked; but the scheme is one of the bootloader's options."""
    plain, path = tmp_path / "plain.set", tmp_path / "rsa.set"
    porta.ok("key", "set", keys("rsa3072")[1], "--set-version", 9, "-o", plain)
    porta.ok("image", "sign", "--data", "--scheme", "ecdsa256", "--key",
             keys("ecdsa256")[0], plain, "-o", path)
    before = store.read_bytes()
    for force in [(), ("--force",)]:
        ended = porta("key", "install", store, path, *force)
        assert ended.code == 1 and "another scheme" in ended.err
    assert store.read_bytes() == before


def test_bad_key_sets(porta, keys, store, tmp_path):
    good = key_set(porta, keys, tmp_path, [0, 1], 2, 0).read_bytes()
    path = tmp_path / "bad.set"
    for data in [b"", good[:4096], good[:8191], b"x" + good[1:],
                 good[:30] + b"x" + good[31:], good + b"\xff"]:
        path.write_bytes(data)
        ended = porta("key", "install", store, path)
        assert ended.code == 1, ended
    assert porta.ok("key", "show", store, "--json").json["from"] == \
        "the bootloader's options"


def test_a_device_that_trusts_nobody(porta, keys, tmp_path):
    table, path = tmp_path / "t.csv", tmp_path / "f.bin"
    table.write_text("otadata,data,ota,,8K\nporta_keys,data,0x70,,8K\n"
                     "ota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n")
    porta.ok("flash", "create", "-o", path, "--chip", "esp32", "--table", table)
    ended = porta("key", "install", path,
                  key_set(porta, keys, tmp_path, [0], 2, 0))
    assert ended.code == 1 and "it trusts nobody yet" in ended.err
    assert "--verify-key PUB" in ended.err and "image" not in ended.err[30:]


def test_device_without_a_store(porta, keys, sign, image, tmp_path):
    path, made = device(porta, keys, tmp_path,
                        [f"factory={sign(image())}"])
    assert made.code == 0
    some = key_set(porta, keys, tmp_path, [1], 2, 0)
    ended = porta("key", "install", path, some)
    assert ended.code == 1 and "no key store" in ended.err


@pytest.mark.parametrize("args,code,word", [
    (["-o", "OUT"], 2, "--set-version"),
    (["--set-version", "1"], 2, "-o"),
    (["--set-version", "1", "-o", "OUT", "--scheme", "x"], 2, "--scheme"),
    (["--set-version", "1", "-o", "OUT", "--scheme", "rsa3072"], 2,
     "not a key of"),
    (["--set-version", "1", "-o", "OUT", "--need-keys", "2"], 2,
     "2 signatures"),
    (["--set-version", "4294967295", "-o", "OUT"], 2, "--set-version")])
def test_key_set_usage(porta, keys, tmp_path, args, code, word):
    args = [tmp_path / "out" if a == "OUT" else a for a in args]
    ended = porta("key", "set", keys("ecdsa256")[1], *args)
    assert ended.code == code and word in ended.err, ended
    assert not (tmp_path / "out").exists()


# --- updates --------------------------------------------------------------------------

def test_update_takes_signed_images_only(porta, keys, sign, image, tmp_path,
                                         pki):
    path, made = device(porta, keys, tmp_path,
                        [f"factory={sign(image(version='1'))}"])
    assert made.code == 0, made
    files = {"plain.bin": image(), "good.bin": sign(image(version="3")),
             "stranger.bin": sign(image(version="4"), number=1)}
    folder = tmp_path / "www"
    folder.mkdir()
    for name, source in files.items():
        (folder / name).write_bytes(source.read_bytes())
    with nginx.Nginx(folder, *pki.server()) as server:
        for name, word in [("plain.bin", "not signed"),
                           ("stranger.bin", "no key that this device")]:
            ended = porta("update", path, server.url(name), "--cacert",
                          pki.ca, "--json")
            assert ended.code == 1 and word in ended.err, ended
            assert ended.json["error"]["name"] == \
                "ESP_ERR_OTA_VALIDATE_FAILED"
            assert boot_of(porta, path)[0] == "factory"
        porta.ok("update", path, server.url("good.bin"), "--cacert", pki.ca)
    assert boot_of(porta, path)[0] == "ota_0"
