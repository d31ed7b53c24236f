"""Whom the board believes, over which protocol, and what it does when the
server does not do its part."""

import pathlib

import pytest

from conftest import HOST, app, was_refused, was_updated
from ports import HeldPort
from sserver import SServer

SLOT_1 = 0x110000


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "fw.bin").write_bytes(app("ota-2").read_bytes())
    return tmp_path


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("rsa", [False, True], ids=["ecdsa", "rsa"])
def test_updates_over(board, pki, folder, version, rsa):
    """Both versions, with a chain of two certificates of either kind."""
    middle = pki.below()
    cert, key = middle.server(hosts=(HOST, "localhost"), rsa=rsa)
    board.make(ota_0="ota-1")
    with SServer(folder, "-cert", cert, "-key", key, "-cert_chain", middle.ca,
                 "-tls" + version.replace(".", "_")) as server:
        board.settings(pki.ca, url=server.url(host=HOST))
        assert was_updated(board.run())


def test_keeps_to_tls_1_2_when_told_to(board, serve, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url(), tls="1.2")
    assert was_updated(board.run())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_updates_with_a_pre_shared_key(board, folder, version):
    """No certificate on either side; another key is refused."""
    key = "00112233445566778899aabbccddeeff"
    board.make(ota_0="ota-1")
    with SServer(folder, "-nocert", "-psk", key, "-psk_identity", "board",
                 "-tls" + version.replace(".", "_")) as server:
        board.settings(url=server.url(host=HOST), psk=key[::-1])
        assert was_refused(board.run())
        board.settings(url=server.url(host=HOST), psk=key)
        boots = board.run()
        assert was_updated(boots), boots


def test_updates_with_devices_of_the_modern_interface(board, serve, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url())
    assert was_updated(board.run(
        "--qemu-arg=-global",
        "--qemu-arg=virtio-mmio.force-legacy=false"))


def test_updates_in_requests_with_ranges(board, serve, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url(), chunk=65536)
    boots = board.run()
    assert was_updated(boots)
    assert boots.figure("requests") >= 5


# --- whom it does not believe ---------------------------------------------------


def test_refuses_a_certificate_for_another_name(board, serve, pki):
    board.make(ota_0="ota-1")
    server = serve("ota-2", cert=pki.server(hosts=("localhost",)))
    board.settings(pki.ca, url=server.url())
    boots = board.run()
    assert was_refused(boots)
    assert "wrong host name" in boots.console


def test_refuses_an_unknown_authority(board, serve, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.other_ca().ca, url=serve("ota-2").url())
    boots = board.run()
    assert was_refused(boots)
    assert "unknown issuer" in boots.console


def test_refuses_what_has_expired_by_its_own_clock(board, serve, pki):
    """The same certificate is good today and not in 2051."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url())
    boots = board.run("--clock", "2051-02-03T04:05:06")
    assert was_refused(boots)
    assert "expired on" in boots.console
    assert was_updated(board.run())


def test_refuses_plain_http(board, serve, pki):
    board.make(ota_0="ota-1")
    server = serve("ota-2", "--http", cert=None)
    board.settings(pki.ca, url=server.url().replace("https", "http"))
    assert was_refused(board.run())
    assert board.slot_bytes(SLOT_1, 16) == b"\xff" * 16


# --- what does not arrive ----------------------------------------------------------


@pytest.mark.parametrize("fault", ["truncate@100000", "stall@100000",
                                   "reset@100000", "status=404",
                                   "wrong-length@50000"])
def test_gives_up_when_the_server(board, serve, pki, fault):
    """Nothing of it boots, and the error says where it ended."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2", "--fault", fault).url())
    boots = board.run(seconds=60)
    assert was_refused(boots), boots
    assert "MESSAGE" in boots.console
    assert board.explain()["boot"] == "ota_0"


def test_says_that_there_is_no_network(board, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=f"https://{HOST}:9/app.bin")
    boots = board.run("--no-network")
    assert was_refused(boots)
    assert "there is no network card" in boots.console
    assert "stage=connect" in boots.console


def test_says_that_nobody_listens(board, pki):
    board.make(ota_0="ota-1")
    with HeldPort() as port:
        board.settings(pki.ca, url=f"https://{HOST}:{port.number}/app.bin")
        boots = board.run()
    assert was_refused(boots)
    assert "stage=connect" in boots.console


def test_says_that_a_name_has_no_address(board, pki):
    """A name that no DNS has: the question was asked and answered."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://no-such-host.invalid/app.bin")
    boots = board.run()
    assert was_refused(boots)
    assert "stage=resolve" in boots.console


def test_heap_that_is_too_small_for_the_handshake_is_an_error(board, serve,
                                                              pki):
    """112 of 128 KiB are taken away first: the update says so, nothing is
    reset, and the memory that was taken meanwhile is all back."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url(), heap=112 * 1024)
    boots = board.run()
    assert was_refused(boots)
    assert "UPDATE ESP_ERR_NO_MEM" in boots.console
    assert boots.report["ended"] == "idle" and boots.report["boots"] == 1
    assert boots.figure("refused") > 0


def test_server_in_the_same_folder_is_what_was_installed(board, pki, folder):
    """Without a length: `openssl s_server -WWW` says none."""
    cert, key = pki.server(hosts=(HOST,))
    board.make(ota_0="ota-1")
    with SServer(folder, "-cert", cert, "-key", key) as server:
        board.settings(pki.ca, url=server.url(host=HOST))
        assert was_updated(board.run())
    image = pathlib.Path(folder / "fw.bin").read_bytes()
    assert board.slot_bytes(SLOT_1, len(image)) == image
