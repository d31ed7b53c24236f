"""A private release asset, end to end: API, redirect, signed URL."""

import os

import pytest

import github_server
import rawimage

BODY = rawimage.image(os.urandom(200000))
ACCEPT = ("-H", "Accept: application/octet-stream")


@pytest.fixture
def hub(pki):
    def make(**more):
        hubs.append(github_server.Github(*pki.server(), BODY, **more))
        return hubs[-1].__enter__()

    hubs = []
    yield make
    for one in hubs:
        one.__exit__()


@pytest.fixture
def update(porta, flash, pki, tmp_path):
    token = tmp_path / "token"
    token.write_text(github_server.TOKEN + "\n")

    def run(hub, *args, bearer=f"@{token}"):
        login = ("--bearer", bearer) if bearer else ()
        ended = porta("update", flash(), hub.api.url(github_server.ASSET),
                      "--cacert", pki.ca, "--json", *login, *args)
        assert github_server.TOKEN not in ended.out + ended.err
        return ended

    return run


def test_the_asset_is_installed_and_the_store_sees_no_token(hub, update):
    server = hub()
    ended = update(server, *ACCEPT, "--secret-header", "X-Mine: k")
    assert ended.code == 0, ended
    assert ended.json["requests"] == 2
    assert ended.json["handshakes"] == 2
    asked, = server.store.requests
    assert len(asked.path) > 1024
    assert asked.get("Authorization") is None and asked.get("X-Mine") is None
    assert server.api.requests[0].get("X-Mine") == "k"


def test_ranges_go_to_the_store_over_one_connection(hub, update):
    server = hub()
    ended = update(server, *ACCEPT, "--range-size", "64K")
    assert ended.code == 0, ended
    assert len(server.api.requests) == 1
    assert len(server.store.requests) == -(-len(BODY) // 65536)
    assert server.store.connections == 1
    assert ended.json["handshakes"] == 2


def test_a_signed_url_that_expires_is_made_anew(hub, update):
    server = hub(lives=2)
    ended = update(server, *ACCEPT, "--range-size", "32K")
    assert ended.code == 0, ended
    ranges = -(-len(BODY) // 32768)
    assert len(server.left) == -(-ranges // 2)
    assert len(server.api.requests) == len(server.left)
    for asked in server.api.requests:
        assert asked.get("Authorization") == f"Bearer {server.token}"
    for asked in server.store.requests:
        assert asked.get("Authorization") is None


def test_a_signed_url_that_is_born_expired_is_an_error(hub, update):
    server = hub(lives=0)
    ended = update(server, *ACCEPT)
    assert ended.code == 1, ended
    assert "403" in ended.json["error"]["message"]
    assert len(server.api.requests) == 1


@pytest.mark.parametrize("bearer, args, said", [
    (None, ACCEPT, "404"),
    ("wrong", ACCEPT, "401"),
    ("", (), None),
])
def test_what_goes_wrong_is_said(hub, update, bearer, args, said):
    server = hub()
    if bearer == "":  # the right token, but the asset's description is asked
        ended = update(server)
        said = "image"
    else:
        ended = update(server, *args, bearer=bearer)
    assert ended.code == 1, ended
    assert said in ended.json["error"]["message"]
    assert not server.store.requests
