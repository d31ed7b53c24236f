"""A build with room for TLS records of 4 KiB: which servers it updates from,
what it needs less, and what it says where that is not enough."""

import os
import subprocess

import pytest

import nginx
import rawimage
from conftest import BIN, Porta, boot_of
from relay import Relay
from sserver import SServer

BODY = rawimage.image(os.urandom(100000))
# A record's own head, nonce and tag, on top of its text.
OVERHEAD = 64


class Small(Porta):
    path = os.path.join(BIN, "porta-small")


@pytest.fixture(scope="module")
def small():
    if not os.path.exists(Small.path):
        pytest.skip("porta-small is not built: Mbed TLS is the system's, or "
                    "PORTA_TLS_RECORD_LEN is set")
    return Small()


@pytest.fixture
def www(tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/fw.bin").write_bytes(BODY)
    return tmp_path / "www"


@pytest.fixture
def update(pki, flash, tmp_path):
    """update(who, port): what it said, and the lengths of the records."""
    def run(who, port, *args, ca=None):
        path = flash()
        with Relay(port) as relay:
            ended = who("update", path, relay.url("fw.bin"), "--cacert",
                        ca or pki.ca, "--json", *args)
        assert ended.code == 0, (ended, relay.refused)
        said = ended.json
        who.ok("flash", "read", path, "ota_1", tmp_path / "slot")
        assert (tmp_path / "slot").read_bytes()[:len(BODY)] == BODY
        assert said["heap_left"] == 0
        return said, relay.records()
    return run


def check(update, porta, small, port, **more):
    told, lengths = update(porta, port, "--tls-max", "1.2", **more)
    assert max(lengths) > 4096 + OVERHEAD
    # 1.2 is what it speaks, without being told to.
    told_small, lengths = update(small, port, **more)
    assert max(lengths) <= 4096 + OVERHEAD
    assert told_small["heap_peak"] + 12000 < told["heap_peak"]
    assert told_small["handshakes"] == 1


@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
def test_nginx(update, porta, small, pki, www):
    with nginx.Nginx(www, *pki.server()) as server:
        check(update, porta, small, server.port)


def test_openssl(update, porta, small, pki, www):
    cert, key = pki.server()
    with SServer(www, "-cert", cert, "-key", key) as server:
        check(update, porta, small, server.port)


@pytest.fixture
def refused(small, pki, flash, tmp_path):
    def run(port, stage, *args, ca=None):
        path = flash()
        before = boot_of(small, path)
        ended = small("update", path, f"https://localhost:{port}/fw.bin",
                      "--cacert", ca or pki.ca, "--json", *args)
        assert ended.code == 1, ended
        assert ended.json["error"]["stage"] == stage, ended
        assert "4096 bytes" in ended.json["error"]["message"], ended
        assert ended.json["heap_left"] == 0
        assert boot_of(small, path) == before
    return run


@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
def test_records_that_do_not_fit(refused, update, small, pki, www):
    """TLS 1.3 alone has no way to ask for short ones. Short answers help."""
    cert, key = pki.server()
    with nginx.Nginx(www, cert, key) as server:
        refused(server.port, "http", "--tls-min", "1.3")
    # Another server: the first one has been left in the middle of an answer.
    with nginx.Nginx(www, cert, key) as server:
        _, lengths = update(small, server.port, "--tls-min", "1.3",
                            "--range-size", "2048")
    assert max(lengths) <= 4096 + OVERHEAD


def test_a_server_that_does_not_obey(refused, update, small, porta, www):
    """GnuTLS, as the development server uses it."""
    certs = www.parent / "certs"
    server = porta.start("serve", www, "--port", "0", "--cert-dir", certs,
                         "--quiet", stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    try:
        port = int(server.stdout.readline().strip().rstrip("/").split(":")[-1])
        refused(port, "download", ca=certs / "ca.pem")
        update(small, port, "--range-size", "2048", ca=certs / "ca.pem")
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_certificates_that_do_not_fit(refused, pki, www, version):
    """One message of the handshake, in several records."""
    middle = pki.below()
    cert, key = middle.server()
    chain = www / "chain"
    with open(middle.ca) as f:
        chain.write_text(12 * f.read())
    with SServer(www, "-cert", cert, "-key", key, "-cert_chain", chain,
                 version) as server:
        refused(server.port, "tls", "--tls-max", "1.3")
