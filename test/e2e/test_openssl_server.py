"""openssl s_server: a TLS peer of another make that answers in HTTP/1.0,
without a length, and closes."""

import re
import subprocess

import pytest

import rawimage

GOOD = rawimage.image()


class SServer:
    def __init__(self, folder, *args):
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-WWW",
             *args], cwd=folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            found = re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                return
        raise RuntimeError("openssl s_server did not start")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.kill()
        self.process.stdout.close()
        self.process.wait(timeout=10)


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


def test_rsa_chain(porta, pki, flash, tmp_path):
    (tmp_path / "fw.bin").write_bytes(GOOD)
    cert, key = pki.server(rsa=True)
    with SServer(tmp_path, "-cert", cert, "-key", key) as server:
        porta.ok("update", flash(), f"https://localhost:{server.port}/fw.bin",
                 "--cacert", pki.ca)
