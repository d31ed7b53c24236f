"""What `porta update` refuses before it erases anything, and the records that
`porta image create` writes for it."""
import pytest

import nginx
import rawimage

pytestmark = pytest.mark.skipif(not nginx.find(),
                                reason="nginx is not installed")


@pytest.fixture(scope="module")
def keys(porta, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in "01":
        porta.ok("key", "new", "--scheme", "ecdsa256", "-o",
                 folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def site(pki, tmp_path_factory):
    cert, key = pki.server(hosts=("localhost", "127.0.0.1"))
    with nginx.Nginx(tmp_path_factory.mktemp("www"), cert, key) as server:
        yield server


@pytest.fixture
def update(porta, pki, site):
    """Serves an image and updates with it."""
    def run(path, image, *args, erases=False):
        name = f"{image.name}-{image.stat().st_ino}"
        (site.root / name).write_bytes(image.read_bytes())
        before = path.read_bytes()
        ended = porta("update", path, site.url(name), "--cacert", pki.ca,
                      "--json", *args)
        if ended.code and not erases:
            assert path.read_bytes() == before
        return ended
    return run


def updates(porta, image):
    return porta.ok("image", "info", image, "--json").json["updates"]


def test_a_record_is_written_and_shown(porta, image, keys):
    path = image(extra=("--ota-client", "yes", "--for-table", "two_ota",
                        "--trusts", keys / "0.pem", "--trusts",
                        keys / "1.pem", "--need-keys", "2"))
    said = updates(porta, path)
    ids = [porta.ok("key", "digest", keys / f"{n}.pem", "--json")
           .json["key_id"] for n in "01"]
    assert said["whole"] and said["ota_client"] and said["keys"] == ids
    assert said["scheme"] == "ecdsa256" and said["need"] == 2
    assert len(said["table_sha256"]) == 64 and not said["install_anyway"]
    shown = porta.ok("image", "info", path).out
    assert "an OTA client" in shown and ids[0] in shown
    porta.ok("image", "verify", path)
    assert updates(porta, image()) is None


@pytest.mark.parametrize("args", [
    ("--for-table", "two_ota"), ("--need-keys", "1"), ("--install-anyway",),
])
def test_a_record_says_whether_there_is_a_client(porta, tmp_path, args):
    (tmp_path / "body").write_bytes(bytes(64))
    ended = porta("image", "create", "--chip", "esp32", "--project", "p",
                  "--version", "1", "--segment",
                  f"0x3ffb0000:{tmp_path / 'body'}", *args, "-o",
                  tmp_path / "out")
    assert ended.code == 2 and "--ota-client" in ended.err


@pytest.mark.parametrize("words", [b"", b"\x7fEL", b"an image, say"])
def test_a_program_that_is_none_says_nothing(porta, tmp_path, words):
    """No record would come of it, and nobody would be told."""
    (tmp_path / "body").write_bytes(bytes(64))
    (tmp_path / "elf").write_bytes(words)
    ended = porta("image", "create", "--chip", "esp32", "--project", "p",
                  "--version", "1", "--segment",
                  f"0x3ffb0000:{tmp_path / 'body'}", "--ota-client",
                  tmp_path / "elf", "-o", tmp_path / "out")
    assert ended.code == 2 and "no ELF file" in ended.err
    assert not (tmp_path / "out").exists()


def test_what_is_said_is_enforced(update, flash, image):
    path = flash()
    ended = update(path, image(extra=("--ota-client", "no")))
    assert ended.code == 1 and "no OTA client" in ended.json["error"]["message"]
    assert ended.json["erases"] == 0 and ended.json["updatable"] == "no"
    ended = update(path, image(extra=("--ota-client", "yes", "--for-table",
                                      "two_ota")))
    assert ended.code == 1
    assert "another partition table" in ended.json["error"]["message"]
    ended = update(path, image(extra=("--ota-client", "yes", "--for-table",
                                      "two_ota_large")))
    assert ended.code == 0 and ended.json["updatable"] == "yes"
    assert "warning" not in ended.err


def test_what_is_not_said_is_a_warning(update, flash, image):
    path = flash()
    ended = update(path, image(), "--require-updatable")
    assert ended.code == 1 and ended.json["erases"] == 0
    assert "capability record" in ended.json["error"]["message"]
    ended = update(path, image())
    assert ended.code == 0 and ended.json["updatable"] == "unknown"
    assert "warning" in ended.err


def test_versions_and_projects(update, flash, image):
    path = flash()
    ended = update(path, image(version="0.9"), "--no-older")
    assert ended.code == 1
    assert "0.9 is older than 1" in ended.json["error"]["message"]
    ended = update(path, image(project="other"), "--same-project")
    assert ended.code == 1 and '"other"' in ended.json["error"]["message"]
    assert update(path, image(version="1")).code == 3
    assert update(path, image(version="0.9"), "--same-project").code == 0


def signed_device(porta, image, keys, tmp_path, extra=()):
    """A device that trusts key 0, running what that key signed."""
    app, path = tmp_path / "app1.bin", tmp_path / "signed-device.bin"
    porta.ok("image", "sign", "--scheme", "ecdsa256", "--key",
             keys / "0.pem", image(version="1"), "-o", app)
    porta.ok("flash", "create", "-o", path, "--chip", "esp32", "--size",
             "4MB", "--table", "two_ota_large", "--app", f"ota_0={app}",
             "--require-signed", "ecdsa256", "--verify-key", keys / "0.pem",
             *extra)
    porta.ok("reset", path)
    return path


def test_updates_are_asked_where_boot_is_not(porta, update, image, keys,
                                             tmp_path):
    device = signed_device(porta, image, keys, tmp_path,
                           ["--no-signed-on-boot"])
    plain, signed = image(version="2"), tmp_path / "v2.bin"
    porta.ok("flash", "write", device, "ota_0", image(version="1"))
    assert porta.ok("explain", device, "--json").json["boot"] == "ota_0"
    ended = update(device, plain)
    assert ended.code == 1 and "not signed" in ended.json["error"]["message"]
    porta.ok("image", "sign", "--scheme", "ecdsa256", "--key",
             keys / "0.pem", plain, "-o", signed)
    assert update(device, signed).code == 0
    assert porta.ok("explain", device, "--json").json["boot"] == "ota_1"


def test_a_signed_override(porta, update, image, keys, flash, tmp_path):
    last = image(extra=("--ota-client", "no", "--install-anyway"))
    ended = update(flash(), last)
    assert ended.code == 1 and "no OTA client" in ended.json["error"]["message"]

    device = signed_device(porta, image, keys, tmp_path)
    ended = update(device, last)
    assert ended.code == 1 and ended.json["erases"] == 0
    assert "not signed" in ended.json["error"]["message"]
    for key in "10":
        porta.ok("image", "sign", "--scheme", "ecdsa256", "--key",
                 keys / f"{key}.pem", last, "-o", tmp_path / f"last{key}")
    # Who signed it is at the end of the file.
    ended = update(device, tmp_path / "last1", erases=True)
    assert ended.code == 1 and "trusts" in ended.json["error"]["message"]
    assert porta.ok("explain", device, "--json").json["boot"] == "ota_0"
    ended = update(device, tmp_path / "last0")
    assert ended.code == 0 and ended.json["updatable"] == "no"


def test_keys_that_please_nobody(porta, update, image, keys, tmp_path):
    device = signed_device(porta, image, keys, tmp_path)
    for key, code in ("1", 1), ("0", 0):
        out = tmp_path / f"trusts{key}.bin"
        porta.ok("image", "sign", "--scheme", "ecdsa256", "--key",
                 keys / "0.pem",
                 image(version="2", extra=("--ota-client", "yes", "--trusts",
                                           keys / f"{key}.pem")), "-o", out)
        ended = update(device, out)
        assert ended.code == code, ended
        if code:
            assert "0 of the keys" in ended.json["error"]["message"]


def test_a_file_that_was_cut(update, flash, tmp_path):
    whole = tmp_path / "cut.bin"
    whole.write_bytes(rawimage.image(bytes(50000))[:40000])
    ended = update(flash(), whole)
    assert ended.code == 1 and ended.json["erases"] == 0
    assert "are missing" in ended.json["error"]["message"]
