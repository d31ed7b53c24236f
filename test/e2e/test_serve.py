"""The development server, seen by clients of other makes and by our own."""

import http.client
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import ssl

import pytest

import rawimage
from waiting import soon

GOOD = rawimage.image()


class Server:
    """A running `porta serve`; its first line is its URL."""

    def __init__(self, porta, folder, certs, *args):
        self.certs = certs
        self.process = porta.start("serve", folder, "--port", "0",
                                   "--cert-dir", certs, *args, stdout=-1,
                                   stderr=-1)
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.out, self.err = self.process.communicate(timeout=20)
        self.code = self.process.returncode

    def ask(self, path="/fw.bin", method="GET", headers=None, tls=None):
        """(status, headers, body) over TLS that is verified."""
        context = ssl.create_default_context(
            cafile=os.path.join(self.certs, "ca.pem"))
        if tls:
            context.minimum_version = context.maximum_version = tls
        connection = http.client.HTTPSConnection("localhost", self.port,
                                                 timeout=20, context=context)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@pytest.fixture
def www(tmp_path):
    folder = tmp_path / "www"
    (folder / "sub").mkdir(parents=True)
    (folder / "fw.bin").write_bytes(GOOD)
    (folder / "sub" / "x").write_bytes(b"deep")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    return folder


@pytest.fixture
def serve(porta, www, tmp_path):
    return lambda *args: Server(porta, www, tmp_path / "certs", *args)


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2,
                                 ssl.TLSVersion.TLSv1_3])
def test_a_file_over_verified_tls(serve, tls):
    with serve() as server:
        status, headers, body = server.ask(tls=tls)
        assert (status, body) == (200, GOOD)
        assert int(headers["Content-Length"]) == len(GOOD)
        assert headers["ETag"] and headers["Last-Modified"]
    assert server.code == 0 and server.out == ""


def test_the_certificate_is_used_again(serve, tmp_path):
    with serve() as server:
        server.ask()
    names = ("ca.pem", "ca.key", "server.pem", "server.key")
    before = [(tmp_path / "certs" / n).read_bytes() for n in names]
    with serve() as server:
        assert server.ask()[0] == 200
    assert before == [(tmp_path / "certs" / n).read_bytes() for n in names]
    assert (tmp_path / "certs/server.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "certs/ca.key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_certificate_is_made_anew_by_the_same_ca(serve, tmp_path):
    with serve() as server:
        server.ask()
    ca = (tmp_path / "certs/ca.pem").read_bytes()
    (tmp_path / "certs/server.pem").write_text("damaged")
    with serve() as server:
        assert server.ask()[0] == 200
    assert (tmp_path / "certs/ca.pem").read_bytes() == ca


def test_ranges_and_validators(serve):
    with serve() as server:
        _, headers, _ = server.ask(method="HEAD")
        tag = headers["ETag"]
        status, headers, body = server.ask(headers={"Range": "bytes=5-9"})
        assert (status, body) == (206, GOOD[5:10])
        assert headers["Content-Range"] == f"bytes 5-9/{len(GOOD)}"
        assert server.ask(headers={"Range": "bytes=5-9",
                                   "If-Range": tag})[0] == 206
        assert server.ask(headers={"Range": "bytes=5-9",
                                   "If-Range": '"other"'})[0] == 200
        status, headers, _ = server.ask(headers={"Range": "bytes=9999999-"})
        assert status == 416
        assert headers["Content-Range"] == f"bytes */{len(GOOD)}"
        status, _, body = server.ask(headers={"If-None-Match": tag})
        assert (status, body) == (304, b"")
        status, _, body = server.ask(method="HEAD")
        assert (status, body) == (200, b"")


@pytest.mark.parametrize("path", [
    "/link", "/../secret", "/%2e%2e/secret", "/sub/../../secret",
    "/..%2fsecret", "/", "/sub", "/nope", "/%00", "/sub/x/"])
def test_nothing_outside_the_folder(serve, path):
    with serve() as server:
        status, _, body = server.ask(path)
        assert status == 404 and b"secret" not in body
        assert server.ask("/sub/x")[2] == b"deep"


def test_the_keys_are_not_served(porta, tmp_path):
    with Server(porta, tmp_path, tmp_path / "certs") as server:
        assert server.ask("/certs/server.key")[0] == 404
        assert server.ask("/certs/ca.pem")[0] == 404


def test_a_key_and_a_token_in_the_folder_are_not_served(porta, tmp_path):
    with Server(porta, tmp_path, tmp_path / "certs"):
        pass
    shutil.copy(tmp_path / "certs/server.key", tmp_path / "my.key")
    (tmp_path / "other-name").hardlink_to(tmp_path / "my.key")
    (tmp_path / "token").write_text("t0ken")
    with Server(porta, tmp_path, tmp_path / "certs", "--cert",
                tmp_path / "certs/server.pem", "--key", tmp_path / "my.key",
                "--token", f"@{tmp_path}/token") as server:
        for name in ("my.key", "other-name", "token"):
            assert server.ask(f"/{name}?token=t0ken")[0] == 404
        assert server.ask("/certs/ca.pem?token=t0ken")[0] == 200


def test_logins(serve, tmp_path):
    (tmp_path / "token").write_text("t0ken\n")
    with serve("--user", "dev:pw", "--token", f"@{tmp_path}/token") as server:
        assert server.ask()[0] == 401
        assert "Basic" in server.ask()[1]["WWW-Authenticate"]
        ask = {"Authorization": "Basic ZGV2OnB3"}
        assert server.ask(headers=ask)[0] == 200
        assert server.ask("/fw.bin?token=t0ken")[0] == 200
        assert server.ask("/fw.bin?token=wrong")[0] == 401
        ask = {"Authorization": "Bearer t0ken"}
        assert server.ask(headers=ask)[0] == 200
    for secret in ("dev:pw", "t0ken", "ZGV2OnB3"):
        assert secret not in server.out + server.err


def test_a_port_that_is_taken(porta, serve, www, tmp_path):
    with serve() as server:
        ended = porta("serve", www, "--port", server.port, "--cert-dir",
                      tmp_path / "certs")
        assert ended.code == 1 and str(server.port) in ended.err, ended


def test_ends_on_both_signals_even_in_a_stall(serve):
    for sig in (signal.SIGINT, signal.SIGTERM):
        with serve("--fault", "stall@10") as server:
            context = ssl.create_default_context(
                cafile=os.path.join(server.certs, "ca.pem"))
            connection = http.client.HTTPSConnection(
                "localhost", server.port, timeout=20, context=context)
            connection.request("GET", "/fw.bin")
            assert connection.getresponse().read(10) == GOOD[:10]
            server.process.send_signal(sig)
            server.process.wait(timeout=20)
            connection.close()
        assert server.code == 0


@pytest.mark.parametrize("fault,word", [
    ("truncate@5000", "5000"), ("reset@5000", ""), ("stall@5000", ""),
    ("oversize@100", "100"), ("wrong-length@100", ""),
    ("status=503", "503")])
def test_every_fault_is_refused_by_an_update(porta, serve, flash, fault,
                                             word):
    path = flash()
    before = path.read_bytes()[0x9000:0x10000]
    with serve("--fault", fault) as server:
        ended = porta("update", path, server.url + "fw.bin", "--cacert",
                      server.certs / "ca.pem", "--json", *soon(fault))
    assert ended.code == 1, ended
    assert word in ended.json["error"]["message"], ended
    assert path.read_bytes()[0x9000:0x10000] == before
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"


def test_a_server_that_ignores_ranges_still_updates(porta, serve, flash):
    with serve("--fault", "range-ignored") as server:
        porta.ok("update", flash(), server.url + "fw.bin", "--cacert",
                 server.certs / "ca.pem", "--range-size", "4096")


def test_update_with_a_login(porta, serve, flash, tmp_path):
    (tmp_path / "user").write_text("dev:pw")
    with serve("--user", "dev:pw") as server:
        ca = server.certs / "ca.pem"
        ended = porta("update", flash(), server.url + "fw.bin", "--cacert",
                      ca, "--json")
        assert ended.code == 1 and ended.json["http_status"] == 401, ended
        ended = porta("update", flash(), server.url + "fw.bin", "--cacert",
                      ca, "--user", f"@{tmp_path}/user", "--json")
        assert ended.code == 0, ended
        assert "pw" not in ended.err + ended.out


def test_update_over_plain_http(porta, serve, flash):
    with serve("--http") as server:
        assert server.url.startswith("http://")
        path = flash()
        ended = porta("update", path, server.url + "fw.bin")
        assert ended.code == 1 and "--allow-http" in ended.err, ended
        porta.ok("update", path, server.url + "fw.bin", "--allow-http")


def test_insecure_always_warns(porta, serve, flash):
    with serve() as server:
        ended = porta.ok("update", flash(), server.url + "fw.bin",
                         "--insecure", "--json")
        assert "WARNING" in ended.err and ended.json["result"] == "updated"


@pytest.mark.parametrize("args", [
    [], ["--fault", "nonsense"], ["--port", "65536"], ["--cert", "x"],
    ["--user", "nocolon"], ["--bind", "nowhere"], ["--psk", "a:0"]])
def test_wrong_command_lines(porta, www, args):
    ended = porta("serve", *([www] if args else []), *args, "--cert-dir",
                  www / "c")
    assert ended.code == 2 and ended.err, ended
    assert not (www / "c").exists(), "made before the options were right"


@pytest.mark.parametrize("args", [
    ["--client-ca", "/no/such"], ["--user", "@/no/such"]])
def test_nothing_is_made_for_a_server_that_cannot_start(porta, www, args):
    ended = porta("serve", www, *args, "--cert-dir", www / "c")
    assert ended.code == 1 and "/no/such" in ended.err, ended
    ended = porta("serve", www / "fw.bin", "--cert-dir", www / "c")
    assert ended.code == 1 and "is not a folder" in ended.err, ended
    assert not (www / "c").exists()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("limit", [20, 40])
def test_no_descriptor_is_left(serve, limit):
    """Who comes then waits, as the server does, which says so once; what ends
    makes room."""
    asks = b"GET /sub/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with serve("--http") as server:
        pid = server.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
        idle = [socket.create_connection(("127.0.0.1", server.port), 20)
                for _ in range(limit)]
        told = server.process.stderr.readline()
        assert "Too many open files" in told and "ulimit -n" in told
        late = socket.create_connection(("127.0.0.1", server.port), 20)
        late.sendall(asks)
        before = cpu_seconds(pid)
        assert not select.select([late], [], [], 1)[0]
        assert cpu_seconds(pid) - before < 0.3
        for sock in idle:
            sock.close()
        answer = b""
        while part := late.recv(4096):
            answer += part
        late.close()
        assert answer.startswith(b"HTTP/1.1 200") and b"deep" in answer
    assert server.code == 0 and "Too many" not in server.err


def test_more_connections_than_at_one_time(serve):
    """What has ended counts no more."""
    with serve("--quiet") as server:
        for _ in range(80):
            assert server.ask("/sub/x")[2] == b"deep"
        fds = os.listdir(f"/proc/{server.process.pid}/fd")
        assert len(fds) < 20, fds
    assert server.code == 0 and server.err == ""
