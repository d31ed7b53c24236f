"""The same good update from every make of server, TLS 1.2 and 1.3; then what
a server can do wrong that needs more than a mode of badserver.py: ranges that
are told wrongly, chains, an alert and a renegotiation in mid-download. A row
says what the caller is told and what the slot holds."""

import contextlib
import os
import socket
import ssl
import subprocess
import threading

import pytest

import certs
import nginx
import rawimage
from apiserver import Answer, Server
from badserver import BadServer
from conftest import boot_of
from sserver import SServer

GOOD = rawimage.image(os.urandom(150000))


@contextlib.contextmanager
def with_nginx(porta, pki, www, version):
    if not nginx.find():
        pytest.skip("nginx is not installed")
    with nginx.Nginx(www, *pki.server(),
                     protocols=f"TLSv{version}") as server:
        yield server.url("fw.bin"), pki.ca


@contextlib.contextmanager
def with_s_server(porta, pki, www, version):
    cert, key = pki.server()
    with SServer(www, "-cert", cert, "-key", key,
                 "-tls" + version.replace(".", "_")) as server:
        yield f"https://localhost:{server.port}/fw.bin", pki.ca


@contextlib.contextmanager
def with_porta_serve(porta, pki, www, version):
    """GnuTLS; it has both versions, and --tls-max says which is used."""
    server = porta.start("serve", www, "--port", "0", "--cert-dir",
                         www.parent / "certs", "--quiet",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip()
        yield url + "fw.bin", www.parent / "certs/ca.pem"
    finally:
        server.terminate()
        server.communicate()


def only(version, cert, key):
    """Python's TLS in this version alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    context.load_cert_chain(cert, key)
    return context


@contextlib.contextmanager
def with_badserver(porta, pki, www, version):
    with BadServer("ok", body=GOOD,
                   context=only(version, *pki.server())) as server:
        yield server.url("/fw.bin"), pki.ca


MAKES = {"nginx": with_nginx, "openssl": with_s_server,
         "porta-serve": with_porta_serve, "badserver": with_badserver}


@pytest.fixture
def slot(porta, tmp_path):
    def read(flash):
        porta.ok("flash", "read", flash, "ota_1", tmp_path / "slot.bin")
        return (tmp_path / "slot.bin").read_bytes()
    return read


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("make", MAKES)
def test_the_same_update(porta, pki, flash, slot, tmp_path, make, version):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/fw.bin").write_bytes(GOOD)
    path = flash()
    with MAKES[make](porta, pki, tmp_path / "www", version) as (url, ca):
        ended = porta("update", path, url, "--cacert", ca, "--json",
                      "--tls-max", version)
    assert ended.code == 0, ended
    said = ended.json
    assert said["bytes_received"] == len(GOOD)
    assert (said["requests"], said["handshakes"]) == (1, 1)
    held = slot(path)
    assert held[:len(GOOD)] == GOOD
    assert held[len(GOOD):].strip(b"\xff") == b""
    assert boot_of(porta, path)[0] == "ota_1"


# --- what goes wrong ---------------------------------------------------------

@pytest.fixture
def refused(porta, pki, flash, slot):
    """refused(url, stage, words, kept): fails as it should; the slot does not
    begin like an image, and has no more of it than `kept` bytes."""
    def run(url, stage, words, *args, kept=0):
        path = flash()
        before = boot_of(porta, path)
        ended = porta("update", path, url, "--cacert", pki.ca, "--json",
                      "--stall-timeout", "5", *args)
        assert ended.code == 1, ended
        error = ended.json["error"]
        assert error["stage"] == stage, ended
        for word in words:
            assert word.lower() in error["message"].lower(), ended
        held = slot(path)
        assert held[:16] == b"\xff" * 16
        assert len(held.rstrip(b"\xff")) <= kept
        assert held[16:kept].rstrip(b"\xff") == \
            GOOD[16:len(held[:kept].rstrip(b"\xff"))]
        assert boot_of(porta, path) == before
        assert ended.json["heap_left"] == 0
        return ended.json
    return run


# Content-Range of the second range of 64 KiB; its bytes are right.
RANGES = [
    ("begins-elsewhere", "bytes {a1}-{b}/{n}"),
    ("ends-elsewhere", "bytes {a}-{b1}/{n}"),
    ("backwards", "bytes {b}-{a}/{n}"),
    ("another-total", "bytes {a}-{b}/{n1}"),
    ("beyond-its-total", "bytes {a}-{b}/{a}"),
    ("another-unit", "lines {a}-{b}/{n}"),
    ("no-numbers", "bytes x-y/z"),
    ("absent", None),
]


@pytest.mark.parametrize("claim,field", RANGES, ids=[r[0] for r in RANGES])
def test_a_wrong_content_range(refused, pki, claim, field):
    def serve(request):
        first, last = request.get("Range").split("=")[1].split("-")
        a, n = int(first), len(GOOD)
        b = min(int(last), n - 1)
        text = "bytes {a}-{b}/{n}" if a == 0 else field
        told = text and text.format(a=a, b=b, n=n, a1=a + 1, b1=b + 1,
                                    n1=n + 1)
        return Answer(206, [("Content-Range", told)] if told else [],
                      GOOD[a:b + 1])

    with Server(serve, *pki.server()) as server:
        refused(server.url("/fw.bin"), "http", [], "--range-size", "64K",
                kept=65536)
        assert len(server.requests) == 2


class Chains:
    """Certificates that certs.Pki does not make."""

    def __init__(self, pki, folder):
        self.pki, self.folder = pki, folder

    def file(self, name):
        return str(self.folder / name)

    def key(self, name, *how):
        certs.openssl("genpkey", *(how or certs.EC), "-out",
                      self.file(name + ".key"))
        certs.openssl("req", "-new", "-key", self.file(name + ".key"),
                      "-subj", f"/CN={name}", "-out", self.file(name + ".csr"))

    def sign(self, name, ca, ca_key, extensions):
        (self.folder / "ext").write_text(extensions)
        certs.openssl("x509", "-req", "-in", self.file(name + ".csr"), "-CA",
                      ca, "-CAkey", ca_key, "-CAcreateserial", "-days", 30,
                      "-extfile", self.file("ext"), "-out",
                      self.file(name + ".pem"))
        return self.file(name + ".pem"), self.file(name + ".key")

    def self_signed(self):
        self.key("localhost")
        certs.openssl("req", "-x509", "-key", self.file("localhost.key"),
                      "-subj", "/CN=localhost", "-addext",
                      "subjectAltName=DNS:localhost", "-days", 30, "-out",
                      self.file("localhost.pem"))
        return self.file("localhost.pem"), self.file("localhost.key")

    def weak(self):
        self.key("localhost", "-algorithm", "RSA", "-pkeyopt",
                 "rsa_keygen_bits:1024")
        return self.sign("localhost", self.pki.ca, self.pki.ca_key,
                         "subjectAltName=DNS:localhost\n")

    def below(self):
        """Signed by an intermediate CA: middle.pem."""
        self.key("middle")
        middle = self.sign("middle", self.pki.ca, self.pki.ca_key,
                           "basicConstraints=critical,CA:TRUE\n"
                           "keyUsage=critical,keyCertSign\n")
        self.key("localhost")
        return self.sign("localhost", *middle, "basicConstraints=CA:FALSE\n"
                         "subjectAltName=DNS:localhost\n")

    def from_2049(self):
        """`openssl x509` cannot: a small CA by `openssl ca` can."""
        self.key("localhost")
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("77\n")
        (self.folder / "conf").write_text(
            "[ca]\ndefault_ca=c\n[c]\ndatabase={0}/index\nserial={0}/serial\n"
            "new_certs_dir={0}\ndefault_md=sha256\npolicy=p\n"
            "x509_extensions=x\n[p]\ncommonName=supplied\n"
            "[x]\nsubjectAltName=DNS:localhost\n".format(self.folder))
        certs.openssl("ca", "-batch", "-notext", "-config", self.file("conf"),
                      "-cert", self.pki.ca, "-keyfile", self.pki.ca_key,
                      "-in", self.file("localhost.csr"), "-out",
                      self.file("localhost.pem"), "-startdate",
                      "20490101000000Z", "-enddate", "20490201000000Z")
        return self.file("localhost.pem"), self.file("localhost.key")


@pytest.mark.parametrize("kind,words", [
    ("self_signed", ["self-signed"]), ("weak", ["1024 bits", "weak"]),
    ("below", ["CN=middle", "was not sent along"]),
    ("from_2049", ["2049", "not valid before"])])
def test_a_chain_that_is_not_good(refused, pki, tmp_path, kind, words):
    pair = getattr(Chains(pki, tmp_path), kind)()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(*pair)
    with BadServer("ok", body=GOOD, context=context) as server:
        refused(server.url("/fw.bin"), "tls", words)
        assert server.requests == []


def test_a_chain_with_its_intermediate(porta, pki, flash, tmp_path):
    """The counterpart: sent along, the same certificate is good."""
    cert, key = Chains(pki, tmp_path).below()
    with open(cert, "a", encoding="ascii") as f:
        f.write((tmp_path / "middle.pem").read_text())
    with BadServer("ok", cert, key, GOOD) as server:
        porta.ok("update", flash(), server.url("/fw.bin"), "--cacert", pki.ca)


class Alarmed:
    """Serves SENT bytes of the body, then a fatal TLS alert. OpenSSL sends it
    as it is given a record that it cannot have been sent."""

    SENT = 100000

    def __init__(self, context):
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.listener.shutdown(socket.SHUT_RDWR)  # if nobody came
        self.thread.join()
        self.listener.close()

    def serve(self):
        sock, _ = self.listener.accept()
        sock.settimeout(20)
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(into, out, server_side=True)

        def until_done(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    sock.sendall(out.read())
                    into.write(sock.recv(4096))

        with sock:
            until_done(tls.do_handshake)
            while b"\r\n\r\n" not in until_done(lambda: tls.read(8192)):
                pass
            tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                      len(GOOD) + GOOD[:self.SENT])
            into.write(b"\x17\x03\x03\0\x40" + bytes(64))
            with contextlib.suppress(ssl.SSLError):
                tls.read(1)
            sock.sendall(out.read())
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_alert_in_mid_download(refused, pki, version):
    with Alarmed(only(version, *pki.server())) as server:
        said = refused(f"https://localhost:{server.port}/fw.bin", "download",
                       [f"{Alarmed.SENT} of", "alert 20, bad record MAC"],
                       kept=Alarmed.SENT)
    assert said["bytes_received"] == Alarmed.SENT
    assert said["tls"]["alert"] == 20
    assert said["tls"]["alert_name"] == "bad record MAC"


def test_renegotiation_is_not_answered(refused, pki, tmp_path):
    """TLS 1.2: a server that asks for a new handshake instead of answering;
    s_server does so for an `r` on its standard input."""
    cert, key = pki.server()
    said = []
    with SServer(tmp_path, "-cert", cert, "-key", key, "-tls1_2",
                 web=False) as server:
        def ask():
            server.wait("^GET ")
            server.says("r\n")
            said.append(server.wait("no renegotiation|no_renegotiation"))

        thread = threading.Thread(target=ask)
        thread.start()
        refused(server.url(), "http", ["alert"])
        thread.join(60)  # it prints what the client has seen already
        assert said
