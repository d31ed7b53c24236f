"""docs/transport.md does what it says. A test is a heading: its shell blocks
run as they stand in a folder with the files that the page names, on a device
made by the page's first block. What stands for something of the reader's is
replaced by a server of the test, see places()."""

import base64
import json
import os
import pathlib
import re
import shlex
import urllib.parse

import pytest

import github_server
import nginx
import pages
import rawimage
from apiserver import Answer, Server
from conftest import Reader, needs_nginx
from proxy import Proxy
from sserver import SServer

PAGE = pages.Page("docs/transport.md")
BODY = rawimage.image(os.urandom(100000))
HUB = "https://api.github.com" + github_server.ASSET
FILES = {"login.txt": "fleet:s3cret", "token.txt": github_server.TOKEN,
         "secret.txt": "s3cret", "refresh.txt": "refresh-1"}


def places(text, updates=None, hub=None, login=None, proxy=None):
    """The page's names become those of servers that run here."""
    for name, real in [
            ("https://updates.example/", updates and updates.url("/")),
            ("updates.example:443", updates and f"localhost:{updates.port}"),
            ("updates.example", updates and "localhost"),
            (HUB, hub and hub.api.url(github_server.ASSET) +
             " --cacert ca.pem"),
            ("https://login.example", login and login.url("")),
            ("proxy.example:3128", proxy and f"127.0.0.1:{proxy.port}")]:
        if real:
            text = text.replace(name, real)
    assert ".example" not in text and "github" not in text, text
    return text


class Follower(Reader):
    """A reader of this page."""

    def __init__(self, folder, pki, prefix=None):
        super().__init__(folder, prefix)
        self.flash = folder / "device.bin"
        (folder / "firmware.bin").write_bytes(rawimage.image(version="1"))
        (folder / "ca.pem").write_text(pathlib.Path(pki.ca).read_text())
        for name, text in FILES.items():
            (folder / name).write_text(text + "\n")
        self.run(PAGE.block("Updating from real servers"))

    def run(self, *scripts, **more):
        said = super().run(*scripts, **more)
        for secret in FILES.values():
            assert secret not in said
        return said

    def do(self, *texts, **servers):
        return self.run(places("".join(texts), **servers))

    def slot(self, label="ota_0"):
        self.run(f"porta flash read device.bin {label} slot.bin\n")
        return (self.folder / "slot.bin").read_bytes()[:len(BODY)]

    def boots(self):
        return json.loads(self.run("porta explain device.bin --json\n"))["boot"]


@pytest.fixture
def reader(tmp_path, pki):
    return Follower(tmp_path, pki)


@pytest.fixture
def serve(pki):
    """serve(function): an HTTPS server that remembers its requests."""
    running = []

    def make(function=lambda request: Answer(body=BODY, ranges=True)):
        running.append(Server(function, *pki.server()))
        return running[-1].__enter__()

    yield make
    for one in running:
        one.__exit__()


class PageNginx(nginx.Nginx):
    """nginx with the server block of the page; its url() as Server has it"""

    def url(self, path, host="localhost"):
        return super().url(path.removeprefix("/"), host)


@pytest.fixture
def page_nginx(pki, tmp_path, monkeypatch):
    block = PAGE.block("From nginx", "nginx")
    cert, key = pki.server()
    (tmp_path / "www").mkdir()
    (tmp_path / "www/app.bin").write_bytes(BODY)
    for name, real in [("/etc/ssl/updates.pem", cert),
                       ("/etc/ssl/updates.key", key),
                       ("/srv/firmware", str(tmp_path / "www")),
                       ("updates.example", "localhost"),
                       ("443", "127.0.0.1:PORT")]:
        assert block.count(name) == 1
        block = block.replace(name, real)
    block = block.replace("{", "{{").replace("}", "}}").replace(
        "PORT", "{port}")
    head = nginx.CONF[:nginx.CONF.index("    server {{")]
    monkeypatch.setattr(nginx, "CONF", head + block + "}}\n")
    with PageNginx(tmp_path / "www", cert, key) as server:
        yield server


@needs_nginx
def test_from_nginx(reader, page_nginx):
    reader.do(*PAGE.blocks("From nginx"), updates=page_nginx)
    assert reader.slot() == BODY
    assert reader.boots() == "ota_0"


@needs_nginx
def test_is_there_anything_new(reader, page_nginx):
    reader.do(*PAGE.blocks("From nginx"), updates=page_nginx)
    said = reader.do(*PAGE.blocks("Is there anything new?"),
                     updates=page_nginx)
    assert "nothing new (304)" in said


@needs_nginx
def test_which_certificate(reader, pki, page_nginx):
    shown = reader.do(PAGE.block("Which certificate to give", "sh", 0),
                      updates=page_nginx)
    assert "i:CN = porta test CA" in shown or "i:CN=porta test CA" in shown


@needs_nginx
def test_mutual_tls(reader, pki, tmp_path):
    cert, key = pki.server(hosts=("device-1",))
    (tmp_path / "device.pem").write_text(pathlib.Path(cert).read_text())
    (tmp_path / "device.key").write_text(pathlib.Path(key).read_text())
    (tmp_path / "www").mkdir()
    (tmp_path / "www/app.bin").write_bytes(BODY)
    with PageNginx(tmp_path / "www", *pki.server(), extra=f"""
            ssl_client_certificate {pki.ca}; ssl_verify_client on;
            """) as server:
        reader.do(PAGE.block("Which certificate to give", "sh", 1),
                  updates=server)
    assert reader.slot() == BODY


def test_user_and_password(reader, serve):
    want = "Basic " + base64.b64encode(b"fleet:s3cret").decode()
    server = serve(lambda r: Answer(body=BODY)
                   if r.get("Authorization") == want else Answer(401))
    reader.do(PAGE.block("User and password, or a header of its own", "sh", 0),
              updates=server)
    assert reader.slot() == BODY


def test_a_header_of_its_own(reader, serve):
    store = serve()
    server = serve(lambda r: Answer(302, [("Location", store.url("/x"))]))
    reader.do(PAGE.block("User and password, or a header of its own", "sh", 1),
              updates=server)
    assert reader.slot() == BODY
    assert server.requests[0].get("X-Fleet") == "s3cret"
    assert store.requests[0].get("X-Fleet") is None
    assert store.requests[0].get("X-Device") == "4711"


def test_github(reader, pki):
    with github_server.Github(*pki.server(), BODY) as hub:
        reader.do(*PAGE.blocks("From a private GitHub release"), hub=hub)
    assert reader.slot() == BODY
    asked, = hub.store.requests
    assert asked.get("Authorization") is None


def test_github_without_accept_sends_a_description(reader, pki):
    text = PAGE.block("From a private GitHub release")
    accept = "-H 'Accept: application/octet-stream'"
    assert accept in text
    with github_server.Github(*pki.server(), BODY) as hub:
        script = places(text.replace(accept, "--json"), hub=hub)
        said = reader.run(f"! {script} > said.json")
    assert "image" in said and not hub.store.requests


class Issuer:
    """Gives a token for the client's secret or for its refresh token."""

    def __init__(self):
        self.forms, self.refresh = [], "refresh-1"

    def __call__(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        self.forms.append(form)
        said = {"access_token": "acc3ss", "token_type": "Bearer",
                "expires_in": 3600}
        basic = base64.b64encode(b"fleet:s3cret").decode()
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh:
                return Answer(400, body='{"error": "invalid_grant"}')
            self.refresh = said["refresh_token"] = "refresh-2"
        elif request.get("Authorization") != f"Basic {basic}" or \
                form.get("scope") != "firmware":
            return Answer(401, body='{"error": "invalid_client"}')
        return Answer(200, [("Content-Type", "application/json")],
                      json.dumps(said))


@pytest.fixture
def oauth2(serve):
    issuer = Issuer()
    login = serve(lambda r: issuer(r) if r.path == "/oauth2/token"
                  else Answer(404))
    return issuer, login, serve(
        lambda r: Answer(body=BODY, headers=[("ETag", '"1"')])
        if r.get("Authorization") == "Bearer acc3ss" else Answer(401))


def test_oauth2_client_credentials(reader, oauth2):
    issuer, login, server = oauth2
    reader.do(PAGE.block("With OAuth2", "sh", 0), updates=server, login=login)
    assert reader.slot() == BODY
    assert [f["grant_type"] for f in issuer.forms] == ["client_credentials"]


def test_oauth2_refresh_token(reader, oauth2):
    """A second time, too: the server has changed the token, the file not."""
    issuer, login, server = oauth2
    reader.do(PAGE.block("With OAuth2", "sh", 1), updates=server, login=login)
    assert reader.slot() == BODY
    reader.run("porta reset device.bin\nporta confirm device.bin")
    text = places(PAGE.block("With OAuth2", "sh", 1), updates=server,
                  login=login)
    reader.run("status=0\n" + text.rstrip("\n") +
                 " || status=$?\n[ $status = 3 ]")
    assert [f["refresh_token"] for f in issuer.forms] == ["refresh-1",
                                                          "refresh-2"]


def test_bundle(reader, serve):
    said = reader.do(*PAGE.blocks("A bundle for devices"), updates=serve())
    assert "1 authorities" in said and "CN=porta test CA" in said
    assert reader.slot() == BODY


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_psk(reader, version):
    """The page's server, in the foreground and on a free port."""
    key = os.urandom(32).hex()
    (reader.folder / "psk.txt").write_text(f"device-4711:{key}\n")
    (reader.folder / "app.bin").write_bytes(BODY)
    line = PAGE.block("With a pre-shared key", "sh", 0).rstrip("&\n ")
    args = shlex.split(line.replace('"$(cut -d: -f2 psk.txt)"', key))
    assert args[:5] == ["openssl", "s_server", "-accept", "8443", "-WWW"]
    with SServer(reader.folder, *args[5:], version) as server:
        text = PAGE.block("With a pre-shared key", "sh", 1)
        assert "localhost:8443" in text
        script = text.replace("8443", str(server.port))
        said = reader.run(script)
        assert key not in said
    assert reader.slot() == BODY


def test_a_psk_that_only_one_knows(reader):
    (reader.folder / "app.bin").write_bytes(BODY)
    with SServer(reader.folder, "-nocert", "-psk_identity", "device-4711",
                 "-psk", "11" * 16) as server:
        for given in ("22" * 16, "11" * 15, "11" * 16 + "1", "x" * 32):
            ended = reader.ends("porta update device.bin --psk device-4711:"
                                f"{given} https://localhost:{server.port}/a")
            wrong = given == "22" * 16
            assert ended.returncode == (1 if wrong else 2), ended
            assert given not in ended.stdout
            assert ("tls:" if wrong else "hexadecimal") in ended.stdout
    assert reader.boots() == "factory"


def test_proxy(reader, serve):
    server = serve()
    with Proxy() as proxy:
        reader.do(PAGE.block("Through a proxy", "sh", 0),
                  updates=server, proxy=proxy)
    assert reader.slot() == BODY
    assert len(proxy.heads) == 1 and proxy.heads[0].startswith("CONNECT ")


def test_proxy_with_a_password(reader, serve):
    server = serve()
    text = re.search(r"`proxy.txt` holds `(.*?)`", PAGE.text)[1]
    assert "://name:password@" in text
    with Proxy(user="name:password") as proxy:
        (reader.folder / "proxy.txt").write_text(places(text, proxy=proxy))
        reader.do(PAGE.block("Through a proxy", "sh", 1),
                  updates=server, proxy=proxy)
    assert reader.slot() == BODY


def test_deadlines(reader, serve):
    server = serve()
    reader.do(*PAGE.blocks("Deadlines and retries"), updates=server)
    assert reader.slot() == BODY
    assert len(server.requests) == -(-len(BODY) // 65536)


def test_going_on(reader, serve):
    """The first answer ends early."""
    server = serve(lambda request: Answer(
        body=BODY, ranges=True, headers=[("ETag", '"1"')],
        breaks=None if request.get("Range") else 80000))
    reader.do(*PAGE.blocks("Going on after a break"), updates=server)
    assert reader.slot() == BODY
    assert [r.get("Range") is None for r in server.requests] == [True, False]


def test_the_defaults_are_those_of_the_help(reader):
    table = re.findall(r"^\| `(--[\w-]+)` \| .* \| (.*) \|$",
                       PAGE.text, re.M)
    assert len(table) == 4
    text = reader.run("porta help update")
    for option, default in table:
        assert re.search(rf"^ *{option} .*\({default}\)$", text, re.M), option


@pytest.mark.parametrize("claim, status, body", [
    ("updated", "0", BODY), ("failed", "1", b"<html>Please log in")],
    ids=["good", "bad"])
def test_what_a_script_gets(reader, serve, claim, status, body):
    server = serve(lambda r: Answer(body=body))
    said = reader.do(*PAGE.blocks("What a script gets"), updates=server)
    assert said.splitlines()[-1] == status
    result = json.loads((reader.folder / "result.json").read_text())
    assert result["result"] == claim
    text = PAGE.text.split("`result.json` is one object: ")[1]
    named = re.findall(r"`([a-z_]+)`", text.split("[cli.md]")[0])
    assert len(named) == 15
    for name in named:
        assert name in result or name in (result["error"] or named), name


@pytest.mark.parametrize("how", ["oauth2", "bearer"])
def test_the_program(tmp_path, oauth2, serve, prefix, pki, how):
    """Built as a stranger builds it, run on a board."""
    reader = Follower(tmp_path, pki, prefix)
    issuer, login, _ = oauth2
    text = PAGE.block("From a program", "c")
    if how == "bearer":
        assert "`porta_ota_set_bearer(client, token)`" in PAGE.text
        before = text
        text = re.sub(r"return porta_ota_set_oauth2.*", "(void)oauth2;\n"
                      'return porta_ota_set_bearer(client, "acc3ss");', text)
        assert text != before
    (reader.folder / "ca_pem.h").write_text("".join(
        f'"{line}\\n"\n' for line in open(pki.ca).read().splitlines()))
    offer = reader.folder / "new.bin"
    store = serve(lambda r: Answer(body=offer.read_bytes()))
    server = serve(lambda r: Answer(302, [("Location", store.url("/a"))])
                   if r.get("Authorization") == "Bearer acc3ss"
                   else Answer(401))
    (reader.folder / "fleet.c").write_text(
        places(text, updates=server, login=login))
    said = reader.run("""
gcc -O2 -s -Wall -Wextra -Werror fleet.c \
    $(pkg-config --cflags --libs porta) -o fleet
for v in 1 2; do porta image create --chip linux --project fleet \
    --version $v --elf fleet -o $v.bin; done
mv 2.bin new.bin
porta flash create -o board.bin --table two_ota --app factory=1.bin
porta device board.bin --boots 1""")
    assert "the update ended with ESP_OK" in said
    assert len(issuer.forms) == (1 if how == "oauth2" else 0)
    assert len(server.requests) == 1
    assert store.requests[0].get("Authorization") is None
    assert "boots ota_0" in reader.run("porta explain board.bin")
