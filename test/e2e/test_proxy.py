"""Through a proxy: a tunnel for https, whole URLs for http; nobody's secret
reaches the other."""

import os

import pytest

import rawimage
from apiserver import Answer, Server
from proxy import Proxy

BODY = rawimage.image(os.urandom(100000))
USER = "us%40er:p w".replace(" ", "%20")
PLAIN = "us@er:p w"


def serve(request):
    if request.get("Authorization") != "Bearer t0k":
        return Answer(401)
    return Answer(body=BODY, ranges=True)


@pytest.fixture
def server(pki):
    with Server(serve, *pki.server()) as one:
        yield one


def update(porta, flash, pki, url, proxy, *args):
    return porta("update", flash, url, "--cacert", pki.ca, "--bearer", "t0k",
                 "--proxy", proxy, "--json", *args)


def test_https_in_a_tunnel_with_credentials(porta, flash, pki, server):
    with Proxy(user=PLAIN) as proxy:
        ended = update(porta, flash(), pki, server.url("/a.bin"),
                       proxy.url(USER), "--range-size", "64K")
    assert ended.code == 0, ended
    assert ended.json["handshakes"] == 1
    assert len(proxy.heads) == 1 and len(server.requests) == 2
    assert proxy.heads[0].startswith(f"CONNECT localhost:{server.port} ")
    assert "t0k" not in proxy.heads[0]
    assert b"t0k" not in proxy.opaque and proxy.opaque[0] == 22
    for asked in server.requests:
        assert asked.get("Proxy-Authorization") is None


def test_the_tunnel_is_verified_end_to_end(porta, flash, pki, server):
    other = pki.other_ca()
    with Proxy() as proxy:
        ended = porta("update", flash(), server.url("/a.bin"), "--cacert",
                      other.ca, "--proxy", proxy.url(), "--json")
    assert ended.code == 1, ended
    assert ended.json["error"]["stage"] == "tls"
    assert "localhost" in ended.json["error"]["message"]
    assert not server.requests


@pytest.mark.parametrize("given, want, said", [
    (None, PLAIN, "407: it wants a user name"),
    ("u:wrong", PLAIN, "407: it refuses the user name"),
])
def test_407(porta, flash, pki, server, given, want, said):
    with Proxy(user=want) as proxy:
        ended = update(porta, flash(), pki, server.url("/a.bin"),
                       proxy.url(given), "--retry", "2")
    assert ended.code == 1, ended
    assert said in ended.json["error"]["message"]
    assert "wrong" not in ended.err + ended.out
    assert len(proxy.heads) == 1, "what is refused is not repeated"


def test_a_proxy_that_refuses_the_host(porta, flash, pki, server):
    with Proxy(refuse=403) as proxy:
        ended = update(porta, flash(), pki, server.url("/a.bin"), proxy.url())
    assert ended.code == 1, ended
    assert f"proxy 127.0.0.1:{proxy.port}: status 403" in \
        ended.json["error"]["message"]


def test_plain_http_with_whole_urls(porta, flash, pki):
    with Server(serve) as server, Proxy(user=PLAIN) as proxy:
        ended = update(porta, flash(), pki, server.url("/a.bin?x=1"),
                       proxy.url(USER), "--allow-http")
    assert ended.code == 0, ended
    assert proxy.heads[0].startswith(
        f"GET http://localhost:{server.port}/a.bin?x=1 HTTP/1.1\r\n")
    assert server.requests[0].get("Proxy-Authorization") is None


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_the_environment_is_not_asked(porta, flash, pki, server, name):
    with Proxy() as proxy:
        ended = porta("update", flash(), server.url("/a.bin"), "--cacert",
                      pki.ca, "--bearer", "t0k", env={name: proxy.url()})
    assert ended.code == 0, ended
    assert not proxy.heads


@pytest.mark.parametrize("url", ["https://p", "socks5://p:1", "p:3128",
                                 "http://p/x"])
def test_what_is_no_proxy(porta, flash, pki, url):
    ended = porta("update", flash(), "https://localhost/", "--cacert", pki.ca,
                  "--proxy", url)
    assert ended.code == 2, ended
    assert "--proxy must be http://" in ended.err
