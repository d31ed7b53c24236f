"""Whom `porta update` trusts, and what it says about whom it does not: against
openssl s_server, nginx and the development server's GnuTLS."""

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest

import certs
import nginx
import rawimage
from badserver import BadServer
from conftest import boot_of
from sserver import SServer

GOOD = rawimage.image()
BIG = rawimage.image(bytes(200000))


@pytest.fixture
def www(tmp_path):
    (tmp_path / "fw.bin").write_bytes(GOOD)
    return tmp_path


def slot_bytes(porta, path, tmp_path):
    """Bytes of the slot that would have been written, that are not blank."""
    out = tmp_path / "slot"
    porta.ok("flash", "read", path, "ota_1", out)
    return len(out.read_bytes().rstrip(b"\xff"))


def refused(porta, flash, tmp_path, url, *args):
    """Runs an update that must fail in TLS; returns what it said."""
    path = flash()
    before = boot_of(porta, path)
    ended = porta("update", path, url, "--json", "--connect-timeout", "10",
                  *args)
    assert ended.code == 1, ended
    assert ended.json["error"]["stage"] == "tls", ended
    assert boot_of(porta, path) == before
    assert slot_bytes(porta, path, tmp_path) == 0
    assert ended.json["heap_left"] == 0
    return ended


# --- certificates that are refused ------------------------------------------

def bad_certs(pki):
    """claim -> (certificate, key, further options of the server, words)"""
    middle = pki.below()
    return {
        "self-signed": (*pki.self_signed(), [], ["self-signed"]),
        "expired": (*pki.dated("20200101000000Z", "20210203040506Z"), [],
                    ["expired on 2021-02-03 04:05"]),
        "not yet valid": (*pki.dated("20490101000000Z", "20491231000000Z"),
                          [], ["not valid before 2049-01-01", "clock"]),
        "wrong name": (*pki.server(hosts=("elsewhere.example",)), [],
                       ["elsewhere.example", 'not for "localhost"']),
        "missing intermediate": (*middle.server(), [],
                                 ["unknown issuer", "CN=middle",
                                  "was not sent along"]),
        "unknown root": (*pki.other_ca().server(), [],
                         ["unknown issuer", "CN=other"]),
        "weak key": (*pki.server(rsa=True, bits=1024),
                     ["-cipher", "ALL:@SECLEVEL=0"],
                     ["RSA 1024 bits", "too weak", "2048"]),
    }


CLAIMS = ["self-signed", "expired", "not yet valid", "wrong name",
          "missing intermediate", "unknown root", "weak key"]


@pytest.fixture(scope="module")
def bad(pki):
    return bad_certs(pki)


def by_openssl(version):
    @contextlib.contextmanager
    def server(porta, www, cert, key, args):
        with SServer(www, "-cert", cert, "-key", key, version, *args) as s:
            yield s.url()
    return server


@contextlib.contextmanager
def by_nginx(porta, www, cert, key, args):
    if not nginx.find():
        pytest.skip("nginx is not installed")
    with nginx.Nginx(www, cert, key, ciphers="DEFAULT:@SECLEVEL=0"
                     if args else None) as s:
        yield s.url("fw.bin")


@contextlib.contextmanager
def by_porta_serve(porta, www, cert, key, args):
    server = porta.start("serve", www, "--port", "0", "--cert", cert, "--key",
                         key, "--quiet", stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    try:
        yield server.stdout.readline().strip() + "fw.bin"
    finally:
        server.terminate()
        server.communicate()


@contextlib.contextmanager
def by_badserver(porta, www, cert, key, args):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(cert, key)
    with BadServer("ok", body=GOOD, context=context) as s:
        yield s.url("/fw.bin")
        assert s.requests == []


MAKES = {"openssl-1.2": by_openssl("-tls1_2"),
         "openssl-1.3": by_openssl("-tls1_3"), "nginx": by_nginx,
         "porta-serve": by_porta_serve, "badserver": by_badserver}


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_refused(porta, pki, flash, www, bad, claim, make):
    cert, key, args, words = bad[claim]
    with MAKES[make](porta, www, cert, key, args) as url:
        ended = refused(porta, flash, www, url, "--cacert", pki.ca)
    if (make, claim) == ("porta-serve", "weak key"):
        return  # GnuTLS itself does not sign with it, and closes
    for word in words:
        assert word in ended.json["error"]["message"], ended
    assert ended.json["error"]["name"] == "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED"
    verify = {"expired": "expired", "not yet valid": "not yet valid",
              "wrong name": "wrong name", "weak key": "weak key"}
    assert ended.json["tls"]["verify"] == verify.get(claim, "unknown issuer")


@pytest.mark.parametrize("claim", CLAIMS)
def test_refused_with_a_bundle(porta, pki, flash, www, bad, claim):
    cert, key, args, words = bad[claim]
    porta.ok("bundle", "build", pki.ca, "-o", www / "trust.bin")
    with SServer(www, "-cert", cert, "-key", key, *args) as server:
        ended = refused(porta, flash, www, server.url(), "--cacert",
                        www / "trust.bin")
    assert words[0] in ended.json["error"]["message"], ended


def test_insecure_goes_on_and_warns(porta, flash, www, bad):
    for claim in CLAIMS[:4]:
        cert, key, args, _ = bad[claim]
        with SServer(www, "-cert", cert, "-key", key, *args) as server:
            ended = porta.ok("update", flash(), server.url(), "--insecure",
                             "--json")
        assert "WARNING" in ended.err and "not verified" in ended.err


def test_only_tls_1_1(porta, pki, flash, www):
    cert, key = pki.server()
    with SServer(www, "-cert", cert, "-key", key, "-tls1_1", "-cipher",
                 "ALL:@SECLEVEL=0") as server:
        ended = refused(porta, flash, www, server.url(), "--cacert", pki.ca)
    assert "version" in ended.json["error"]["message"]


def test_a_server_that_wants_to_renegotiate(porta, pki, flash, www):
    """It is told no. openssl takes that for the end; nothing is written, and
    nobody is asked for anything again."""
    cert, key = pki.server()
    path = flash()
    with SServer(www, "-cert", cert, "-key", key, "-tls1_2", "-state",
                 web=False) as server:
        client = porta.start("update", path, server.url(), "--cacert", pki.ca,
                             "--json", "--stall-timeout", "10",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        server.wait("GET /fw.bin")
        server.says("R\n")
        said = server.wait("no renegotiation|no_renegotiation")
        out, err = client.communicate(timeout=30)
    assert client.returncode == 1, (out, err)
    assert "ClientHello" not in said.split("HelloRequest")[-1]
    assert "alert" in err or "closed" in err or "broke" in err, err
    assert slot_bytes(porta, path, www) == 0
    assert json.loads(out)["heap_left"] == 0


# --- who is trusted ----------------------------------------------------------

def test_an_intermediate_that_is_sent(porta, pki, flash, www):
    middle = pki.below()
    cert, key = middle.server()
    with SServer(www, "-cert", cert, "-key", key, "-cert_chain",
                 middle.ca) as server:
        porta.ok("update", flash(), server.url(), "--cacert", pki.ca)


def test_capath_and_bundles(porta, pki, flash, www):
    cert, key = pki.server()
    folder = www / "cas"
    folder.mkdir()
    (folder / "README").write_text("no certificate")
    with open(pki.ca) as ca, open(pki.other_ca().ca) as other:
        (folder / "a.pem").write_text(ca.read())
        (folder / "b.pem").write_text(other.read())
    os.symlink("a.pem", folder / "12345678.0")
    der = www / "ca.der"
    der.write_text(certs.openssl("x509", "-in", pki.ca))
    certs.openssl("x509", "-in", pki.ca, "-outform", "DER", "-out", der)
    said = porta.ok("bundle", "build", folder, der, "-o", www / "trust.bin",
                    "--json").json
    assert said["authorities"] == 2 and said["twice"] == 2
    assert said["len"] == os.path.getsize(www / "trust.bin")
    shown = porta.ok("bundle", "show", www / "trust.bin", "--json").json
    assert {a["key"] for a in shown["authorities"]} == {"EC 256"}
    names = sorted(a["name"] for a in shown["authorities"])
    assert names[0].startswith("CN=other") and names[1] == "CN=porta test CA"
    with SServer(www, "-cert", cert, "-key", key) as server:
        for args in (["--capath", folder], ["--cacert", www / "trust.bin"],
                     ["--cacert", der],
                     ["--cacert", pki.other_ca().ca, "--capath", folder]):
            porta.ok("update", flash(), server.url(), *args)


def test_the_machines_store(porta, pki, flash, www):
    cert, key = pki.server()
    with SServer(www, "-cert", cert, "-key", key) as server:
        porta.ok("update", flash(), server.url(),
                 env={"SSL_CERT_FILE": pki.ca})
        ended = porta("update", flash(), server.url(),
                      env={"SSL_CERT_FILE": pki.other_ca().ca})
        assert ended.code == 1 and "unknown issuer" in ended.err
        ended = porta("update", flash(), server.url(),
                      env={"SSL_CERT_FILE": "/nowhere/ca.pem"})
        assert ended.code == 1 and "/nowhere/ca.pem" in ended.err


def test_bundles_that_are_none(porta, pki, www):
    dead, _ = pki.dated("20200101000000Z", "20210203040506Z")
    weak, _ = pki.server(rsa=True, bits=1024)
    for args, word in (([www / "fw.bin"], "no certificate"),
                       ([dead], "1 ended"), ([weak], "1 have a weak key"),
                       (["/nowhere"], "/nowhere")):
        ended = porta("bundle", "build", *args, "-o", www / "out", "--json")
        assert ended.code == 1 and word in ended.err, ended
        assert not (www / "out").exists()
    assert porta("bundle", "build", pki.ca).code == 2
    ended = porta("bundle", "show", www / "fw.bin")
    assert ended.code == 1 and "no certificate bundle" in ended.err


# --- who we are --------------------------------------------------------------

@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client_certificates(porta, pki, flash, www, version):
    cert, key = pki.server()
    stranger, stranger_key = pki.other_ca().server(hosts=("a-device.example",))
    own, own_key = pki.server(hosts=("a-device.example",))
    certs.openssl("x509", "-in", own, "-outform", "DER", "-out",
                  www / "own.der")
    certs.openssl("pkey", "-in", own_key, "-outform", "DER", "-out",
                  www / "key.der")
    certs.openssl("pkcs8", "-topk8", "-in", own_key, "-out", www / "key.enc",
                  "-v2", "aes-256-cbc", "-passout", "pass:s3cret")
    (www / "word").write_text("s3cret\n")
    good = (["--cert", own, "--key", own_key],
            ["--cert", www / "own.der", "--key", www / "key.der"],
            ["--cert", own, "--key", www / "key.enc", "--pass", "s3cret"],
            ["--cert", own, "--key", www / "key.enc", "--pass",
             f"@{www}/word"])
    bad = (([], "alert"),
           (["--cert", stranger, "--key", stranger_key], "alert"),
           (["--cert", own, "--key", www / "key.enc"], "needs a password"),
           (["--cert", own, "--key", www / "key.enc", "--pass", "wrong"],
            "password is wrong"),
           (["--cert", own, "--key", key], "do not belong together"))
    with SServer(www, "-cert", cert, "-key", key, "-Verify", "2", "-CAfile",
                 pki.ca, "-verify_return_error", version) as server:
        for args in good:
            porta.ok("update", flash(), server.url(), "--cacert", pki.ca,
                     *args)
        for args, word in bad:
            path = flash()
            ended = porta("update", path, server.url(), "--cacert", pki.ca,
                          "--json", *args)
            assert ended.code == 1 and word in ended.err, ended
            assert "s3cret" not in ended.err + ended.out
            assert slot_bytes(porta, path, www) == 0
            assert ended.json["heap_left"] == 0
            if word == "alert":
                assert ended.json["tls"]["alert_name"] in (
                    "handshake failure", "certificate required",
                    "unknown CA"), ended


KEY = "000102030405060708090a0b0c0d0e0f"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_psk_with_openssl(porta, flash, www, version):
    with SServer(www, "-nocert", "-psk", KEY, "-psk_identity", "dev-1",
                 version) as server:
        porta.ok("update", flash(), server.url(), "--psk", f"dev-1:{KEY}")
        ended = refused(porta, flash, www, server.url(), "--psk",
                        f"dev-1:{KEY[:-2]}ff")
        assert KEY[:8] not in ended.err + ended.out
        # Neither does a certificate of anybody's stand in for the key.
        refused(porta, flash, www, server.url())


@pytest.mark.parametrize("tls_max", ["1.2", "1.3"])
def test_psk_with_the_development_server(porta, flash, www, tls_max):
    (www / "psk").write_text(f"dev-1:{KEY}\n")
    server = porta.start("serve", www, "--port", "0", "--psk", f"@{www}/psk",
                         "--quiet", stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip()
        porta.ok("update", flash(), url + "fw.bin", "--psk",
                 f"@{www}/psk", "--tls-max", tls_max)
        ended = porta("update", flash(), url + "psk", "--psk", f"@{www}/psk")
        assert ended.code == 1 and "404" in ended.err, ended
        for wrong in (f"dev-1:{KEY}00", f"dev-2:{KEY}"):
            ended = refused(porta, flash, www, url + "fw.bin", "--psk", wrong,
                            "--tls-max", tls_max)
            assert "pre-shared key" in ended.err or "alert" in ended.err
    finally:
        server.terminate()
        server.communicate()


def test_a_reset_may_be_about_the_key(porta, pki, flash, www):
    """It overtakes the alert of a server that leaves our Finished unread."""
    with BadServer("hang-up", *pki.server()) as server:
        ended = refused(porta, flash, www, server.url(), "--psk",
                        f"dev-1:{KEY}")
    assert "another pre-shared key" in ended.err, ended
    with BadServer("hang-up", *pki.server()) as server:
        ended = refused(porta, flash, www, server.url(), "--cacert", pki.ca)
    assert "pre-shared" not in ended.err, ended


def test_the_development_server_asks_for_certificates(porta, pki, flash, www):
    own, own_key = pki.server(hosts=("a-device.example",))
    other, other_key = pki.other_ca().server()
    server = porta.start("serve", www, "--port", "0", "--cert-dir",
                         www / "certs", "--client-ca", pki.ca, "--quiet",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip() + "fw.bin"
        ca = ["--cacert", www / "certs/ca.pem"]
        porta.ok("update", flash(), url, *ca, "--cert", own, "--key", own_key)
        for args in ([], ["--cert", other, "--key", other_key]):
            ended = porta("update", flash(), url, *ca, *args)
            assert ended.code == 1 and "403" in ended.err, ended
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("args", [
    ["--psk", "nocolon"], ["--psk", ":00"], ["--psk", "id:"],
    ["--psk", f"id:{KEY}0"], ["--psk", f"id:{KEY}0g"],
    ["--psk", "id:" + "00" * 15], ["--psk", "id:" + "00" * 65],
    ["--psk", f"id:{KEY}", "--cacert", "x"],
    ["--psk", f"id:{KEY}", "--capath", "x"],
    ["--psk", f"id:{KEY}", "--insecure"],
    ["--psk", f"id:{KEY}", "--cert", "x", "--key", "y"],
    ["--pass", "x"], ["--cert", "x"], ["--tls-max", "1.1"]],
    ids=lambda a: " ".join(a)[:24])
def test_command_lines_that_are_wrong(porta, flash, args):
    ended = porta("update", flash(), "https://localhost:1/x", *args)
    assert ended.code == 2, ended


# --- sessions that go on ------------------------------------------------------

@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
@pytest.mark.parametrize("tls_max", ["1.2", "1.3"])
def test_a_server_that_closes_after_each_range(porta, pki, flash, tmp_path,
                                               tls_max):
    (tmp_path / "fw.bin").write_bytes(BIG)
    cert, key = pki.server()
    with nginx.Nginx(tmp_path, cert, key,
                     extra="keepalive_timeout 0;") as server:
        said = porta.ok("update", flash(), server.url("fw.bin"), "--cacert",
                        pki.ca, "--range-size", "50000", "--tls-max", tls_max,
                        "--json").json
    assert said["handshakes"] == said["requests"] == 5
    assert said["handshakes_resumed"] == 4


# --- a device that is a server ------------------------------------------------

@pytest.fixture(scope="module")
def device_server(porta, pki, tmp_path_factory):
    """The example tls_server on a board; yields its port."""
    folder = tmp_path_factory.mktemp("device")
    source = os.path.join(os.path.dirname(__file__), "..", "..", "examples",
                          "tls_server", "partitions.csv")
    app = os.path.join(os.path.dirname(porta.path), "..", "apps",
                       "tls_server.bin")
    if not os.path.exists(app):
        pytest.skip("the example is not built")
    with open(source) as f:
        table = f.read()
    size = 0x100000
    while size < os.path.getsize(app):
        size *= 2
    (folder / "t.csv").write_text(table.replace("1M", hex(size)))
    path = folder / "device.bin"
    porta.ok("flash", "create", "-o", path, "--table", folder / "t.csv",
             "--size", hex(4 * size), "--app", f"ota_0={app}")
    for i, host in enumerate(("one.example", "two.example")):
        cert, key = pki.server(hosts=(host,))
        with open(cert) as c, open(key) as k:
            (folder / "site").write_text(c.read() + k.read())
        porta.ok("flash", "write", path, f"site{i}", folder / "site")
    board = porta.start("device", path, "--max-time", "600",
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    port = None
    for line in board.stdout:
        if "listening on port" in line:
            port = int(line.split()[-1])
            break
    assert port, "the device does not listen"
    # Its lines must go somewhere, or it waits for room.
    drain = threading.Thread(target=board.stdout.read)
    drain.start()
    yield port
    board.terminate()
    board.wait()
    drain.join()
    board.stdout.close()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("claim,args,cn", [
    ("the first name", ["-servername", "one.example"], "one.example"),
    ("the second name", ["-servername", "two.example"], "two.example"),
    ("a name that it does not have", ["-servername", "x.example"],
     "one.example"),
    ("no name", ["-noservername"], "one.example"),
    ("a protocol", ["-servername", "one.example", "-alpn", "maintenance/1"],
     "two.example"),
    ("another protocol", ["-servername", "one.example", "-alpn", "http/1.1"],
     "one.example")], ids=lambda v: v if isinstance(v, str) else None)
def test_the_device_selects(device_server, pki, version, claim, args, cn):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{device_server}",
         "-CAfile", pki.ca, "-verify_return_error", "-ign_eof", version,
         *args], input="GET / HTTP/1.0\r\n\r\n", capture_output=True,
        text=True, timeout=30)
    assert f"subject=CN = {cn}" in done.stdout, done.stdout + done.stderr
    assert "hello from the device" in done.stdout
    assert "Verify return code: 0 (ok)" in done.stdout
    if "-alpn" in args:
        assert f"ALPN protocol: {args[-1]}" in done.stdout


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("rsa", [False, True], ids=["ecdsa", "rsa"])
def test_a_server_whose_preference_counts(porta, pki, flash, www, version,
                                          rsa):
    """In TLS 1.2, too, OpenSSL then signs with RSA-PSS, which is offered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.maximum_version = version
    context.load_cert_chain(*pki.server(rsa=rsa))
    with BadServer("ok", body=GOOD, context=context) as server:
        porta.ok("update", flash(), server.url("/fw.bin"), "--cacert", pki.ca)


# --- what is said about the server's name -----------------------------------

def hello_to(porta, flash, host, family):
    """The first bytes that a client sends there."""
    with socket.socket(family) as listener:
        try:
            listener.bind(("::1" if family == socket.AF_INET6 else
                           "127.0.0.1", 0))
        except OSError as why:
            pytest.skip(f"no such address here: {why}")
        listener.listen()
        client = porta.start("update", flash(),
                             f"https://{host}:{listener.getsockname()[1]}/x",
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        listener.settimeout(20)
        conn = listener.accept()[0]
        with conn:
            conn.settimeout(20)
            hello = conn.recv(4096)
        client.terminate()
        client.wait()
    assert hello[:1] == b"\x16", hello
    return hello


@pytest.mark.parametrize("host,said,family", [
    ("localhost", b"localhost", socket.AF_INET),
    ("127.0.0.1", None, socket.AF_INET), ("[::1]", None, socket.AF_INET6)])
def test_only_a_name_is_said_to_the_server(porta, flash, host, said, family):
    """RFC 6066, 3: literal addresses are not permitted there."""
    hello = hello_to(porta, flash, host, family)
    assert said is None or said in hello
    assert said or host.strip("[]").encode() not in hello


@pytest.mark.parametrize("own", ["::1", "::2"])
def test_server_at_an_ipv6_address(porta, pki, flash, www, own):
    """GnuTLS hangs up on a server name that is none; the certificate is still
    compared with the address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as why:
        pytest.skip(f"no IPv6 here: {why}")
    cert, key = pki.server(hosts=("localhost", own))
    server = porta.start("serve", www, "--port", "0", "--bind", "::1",
                         "--cert", cert, "--key", key, "--quiet",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = re.search(r":(\d+)/", server.stdout.readline())[1]
        url = f"https://[::1]:{port}/fw.bin"
        if own == "::1":
            porta.ok("update", flash(), url, "--cacert", pki.ca)
            return
        ended = refused(porta, flash, www, url, "--cacert", pki.ca)
        assert ended.json["tls"]["verify"] == "wrong name"
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("args", [
    ["-groups", "P-384"],
    ["-groups", "P-256", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    ["-ciphersuites", "TLS_AES_256_GCM_SHA384"]])
def test_server_asks_for_another_hello(porta, pki, flash, www, args):
    """A group without a share in the first hello, and suites of either
    digest: what is dropped after the choice is not needed again."""
    cert, key = pki.server()
    with SServer(www, "-cert", cert, "-key", key, "-tls1_3", *args) as server:
        porta.ok("update", flash(), server.url(), "--cacert", pki.ca)
