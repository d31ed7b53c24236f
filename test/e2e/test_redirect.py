"""Redirects: every status, every kind of target; what is followed keeps its
secrets at home, what is refused says why."""

import os

import pytest

import rawimage
from apiserver import Answer, Server

BODY = rawimage.image(os.urandom(60000))
STATUSES = (301, 302, 303, 307, 308)
LOGINS = [("--bearer", "t0k"), ("--user", "u:t0k"),
          ("-H", "PRIVATE-TOKEN: t0k"), ("-H", "Cookie: id=t0k"),
          ("--secret-header", "X-Mine: t0k")]


def body(request):
    return Answer(body=BODY, ranges=True)


def secrets(request):
    """The headers that hold the secret, as it is or in Basic."""
    return [n for n, v in request.headers.items()
            if "t0k" in v or "dTp0MGs" in v]


@pytest.fixture
def servers(pki):
    """here, there: there's function may be changed."""
    cert = pki.server()

    def ask(request):
        if request.path == "/end":
            return body(request)
        return Answer(here.status, [("Location", here.to),
                                    ("Set-Cookie", "made=here")], "moved")

    with Server(ask, *cert) as here, Server(body, *cert) as there:
        here.status = 302
        yield here, there


@pytest.fixture
def update(porta, flash, pki):
    def run(url, *args):
        return porta("update", flash(), url, "--cacert", pki.ca, "--json",
                     *args)
    return run


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", ["path", "relative", "absolute", "host",
                                  "port"])
def test_matrix(servers, update, status, kind):
    here, there = servers
    here.status = status
    here.to = {"path": "/end", "relative": "../end", "absolute":
               here.url("/end"), "host": here.url("/end", host="127.0.0.1"),
               "port": there.url("/end")}[kind]
    ended = update(here.url("/a/start"), "--bearer", "t0k")
    assert ended.code == 0, ended
    last = (there if kind == "port" else here).requests[-1]
    assert last.path == "/end" and last.method == "GET"
    stays = kind in ("path", "relative", "absolute")
    assert bool(secrets(last)) == stays
    assert ended.json["handshakes"] == (1 if stays else 2)
    assert last.get("Cookie") is None


@pytest.mark.parametrize("login", LOGINS)
def test_no_kind_of_secret_goes_elsewhere(servers, update, login):
    here, there = servers
    here.to = there.url("/end")
    ended = update(here.url("/start"), *login)
    assert ended.code == 0, ended
    assert secrets(here.requests[0])
    assert not secrets(there.requests[0])


@pytest.mark.parametrize("login", LOGINS)
def test_nor_back_home_by_a_hop(servers, update, login):
    here, there = servers
    here.to = there.url("/hop")
    there.function = lambda r: Answer(307, [("Location", here.url("/end"))])
    ended = update(here.url("/start"), *login)
    assert ended.code == 0, ended
    assert here.requests[-1].path == "/end"
    assert not secrets(here.requests[-1])


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("to, said", [
    ("http://localhost:9/x", "https to http"),
    ("file:///etc/passwd", "Location"), ("", "Location"),
    ("/start", "a loop"),
])
def test_refused(servers, update, status, to, said):
    here, _ = servers
    here.status, here.to = status, to
    ended = update(here.url("/start"), "--allow-http")
    assert ended.code == 1, ended
    assert said in ended.json["error"]["message"]
    assert f"localhost:{here.port}" in ended.json["error"]["message"]
    assert len(here.requests) == 1


def test_a_loop_of_two_hosts(servers, update):
    here, there = servers
    here.to = there.url("/b")
    there.function = lambda r: Answer(302, [("Location", here.url("/start"))])
    ended = update(here.url("/start"))
    assert ended.code == 1 and "a loop" in ended.json["error"]["message"]
    assert len(here.requests) + len(there.requests) == 2


def test_too_many(servers, update):
    here, there = servers
    here.to = there.url("/0")
    there.function = lambda r: Answer(302, [(
        "Location", f"/{int(r.path[1:]) + 1}")])
    ended = update(here.url("/start"))
    assert ended.code == 1, ended
    assert "limit" in ended.json["error"]["message"]
    assert len(there.requests) == 10


def test_a_hop_with_an_unknown_issuer_is_named(pki, servers, update):
    here, _ = servers
    other = pki.other_ca()
    with Server(body, *other.server()) as stranger:
        here.to = stranger.url("/end", host="127.0.0.1")
        ended = update(here.url("/start"))
    assert ended.code == 1, ended
    said = ended.json["error"]
    assert said["stage"] == "tls"
    assert f"127.0.0.1:{stranger.port}" in said["message"]
    assert "other" in said["message"], "the missing issuer is named"
    assert not stranger.requests


def test_a_long_way(servers, update):
    """URL, target, and headers of more than 8 KiB, both ways."""
    here, there = servers
    here.to = there.url("/end?sig=" + "s" * 9000)
    big = "v" * 9000
    there.function = lambda r: Answer(200, [("X-Noise", big)], BODY)
    ended = update(here.url("/start?" + "q" * 9000), "-H", f"X-Big: {big}")
    assert ended.code == 0, ended
    assert len(there.requests[0].path) > 9000
    assert there.requests[0].get("X-Big") == big


def test_ranges_over_a_redirect_shake_hands_once(servers, update):
    here, _ = servers
    here.to = "/end"
    ended = update(here.url("/start"), "--range-size", "8K")
    assert ended.code == 0, ended
    assert ended.json["handshakes"] == 1
    assert here.connections == 1
    assert here.paths.count("/start") == 1


def test_an_encoding_is_refused_by_name(servers, update):
    here, there = servers
    there.function = lambda r: Answer(200, [("Content-Encoding", "gzip")],
                                      BODY)
    ended = update(there.url("/x"))
    assert ended.code == 1, ended
    assert "Content-Encoding: gzip" in ended.json["error"]["message"]
