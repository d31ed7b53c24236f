"""openssl s_server: a TLS peer of another make that answers in HTTP/1.0,
without a length, and closes."""

import pytest

import rawimage
from sserver import SServer

GOOD = rawimage.image()


@pytest.mark.parametrize("claim,args,works,word", [
    ("TLS 1.3", ["-tls1_3"], True, ""),
    ("TLS 1.2", ["-tls1_2"], True, ""),
    ("TLS 1.3 with ChaCha20", ["-tls1_3", "-ciphersuites",
                               "TLS_CHACHA20_POLY1305_SHA256"], True, ""),
    ("TLS 1.2 with AES-CBC", ["-tls1_2", "-cipher",
                              "ECDHE-ECDSA-AES128-SHA256"], True, ""),
    ("TLS 1.1 only", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], False,
     "version"),
], ids=lambda v: v.replace(" ", "-") if isinstance(v, str) else None)
def test_peer(porta, pki, flash, tmp_path, claim, args, works, word):
    (tmp_path / "fw.bin").write_bytes(GOOD)
    cert, key = pki.server()
    path = flash()
    with SServer(tmp_path, "-cert", cert, "-key", key, *args) as server:
        ended = porta("update", path, f"https://localhost:{server.port}/"
                      "fw.bin", "--cacert", pki.ca, "--json")
    if works:
        assert ended.code == 0, ended
        assert porta.ok("explain", path, "--json").json["boot"] == "ota_1"
    else:
        assert ended.code == 1, ended
        assert ended.json["error"]["stage"] == "tls"
        assert word in ended.json["error"]["message"], ended


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_rsa_chain(porta, pki, flash, tmp_path, version):
    """In TLS 1.2 the server signs with PKCS #1, in TLS 1.3 with PSS."""
    (tmp_path / "fw.bin").write_bytes(GOOD)
    cert, key = pki.server(rsa=True)
    with SServer(tmp_path, "-cert", cert, "-key", key, version) as server:
        porta.ok("update", flash(), f"https://localhost:{server.port}/fw.bin",
                 "--cacert", pki.ca)
