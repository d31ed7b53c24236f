"""Asking whether there is anything new: validators are kept with the image
and sent while it runs."""

import os
import stat

import pytest

import nginx
import rawimage
from apiserver import Answer, Server

BODY = rawimage.image(os.urandom(50000))
DATE = "Sun, 01 Nov 2026 10:00:00 GMT"


class Site:
    def __init__(self):
        self.etag, self.date, self.body = '"v2"', DATE, BODY

    def __call__(self, request):
        known = request.get("If-None-Match")
        since = request.get("If-Modified-Since")
        if (known and known == self.etag) or \
                (not known and since and since == self.date):
            return Answer(304, [("ETag", self.etag or '"none"')])
        fields = [("ETag", self.etag)] if self.etag else []
        if self.date:
            fields.append(("Last-Modified", self.date))
        return Answer(200, fields, self.body, ranges=True)


@pytest.fixture
def site(pki):
    site = Site()
    with Server(site, *pki.server()) as server:
        site.server, site.url = server, server.url("/app.bin")
        yield site


@pytest.fixture
def update(porta, pki):
    def run(flash, url, *args):
        return porta("update", flash, url, "--cacert", pki.ca, "--json",
                     *args)
    return run


@pytest.fixture
def installed(porta, flash, site, update):
    """A device that got the site's image, runs it and confirmed it."""
    def make(*args):
        path = flash()
        ended = update(path, site.url, *args)
        assert ended.code == 0, ended
        porta.ok("reset", path)
        porta.ok("confirm", path)
        site.server.requests.clear()
        return path
    return make


def asked(site):
    one, = site.server.requests
    return one.get("If-None-Match"), one.get("If-Modified-Since")


@pytest.mark.parametrize("args", [(), ("--range-size", "16K")])
def test_304_costs_one_request_and_is_exit_3(site, installed, update, args):
    path = installed(*args)
    before = path.read_bytes()
    ended = update(path, site.url, *args)
    assert ended.code == 3, ended
    assert ended.json["result"] == "not_modified"
    assert ended.json["http_status"] == 304
    assert (ended.json["requests"], ended.json["handshakes"]) == (1, 1)
    assert ended.json["bytes_received"] == 0
    assert asked(site) == ('"v2"', DATE)
    assert path.read_bytes() == before


def test_a_new_file_is_fetched_without_conditions_in_its_ranges(
        site, installed, update):
    path = installed()
    site.etag, site.body = '"v3"', rawimage.image(os.urandom(50000),
                                                  version="3")
    ended = update(path, site.url, "--range-size", "16K")
    assert ended.code == 0, ended
    first, *others = site.server.requests
    assert first.get("If-None-Match") == '"v2"'
    assert others and not any(r.get("If-None-Match") for r in others)
    with open(f"{path}.porta", encoding="ascii") as f:
        assert '"v3"' in f.read()


@pytest.mark.parametrize("etag, date", [('"v2"', None), (None, DATE)])
def test_either_validator_is_enough(site, installed, update, etag, date):
    site.etag, site.date = etag, date
    path = installed()
    assert update(path, site.url).code == 3
    assert asked(site) == (etag, date)


def test_without_validators_nothing_is_kept(site, installed):
    site.etag = site.date = None
    path = installed()
    assert not os.path.exists(f"{path}.porta")


def test_after_a_rollback_all_of_it_is_asked(porta, site, installed, update):
    path = installed()
    porta.ok("rollback", path)
    porta.ok("reset", path)
    ended = update(path, site.url)
    assert ended.code == 0, ended
    assert asked(site) == (None, None)


def test_another_image_in_the_slot_is_another_image(porta, image, site,
                                                    installed, update):
    path = installed()
    porta.ok("flash", "write", path, "ota_1", image(version="9"))
    ended = update(path, site.url)
    assert asked(site) == (None, None), ended


def test_another_url_is_another_file(site, installed, update):
    path = installed()
    ended = update(path, site.url + "?channel=beta")
    assert ended.json["http_status"] == 200
    assert asked(site) == (None, None)


def test_conditions_of_the_user_are_left_alone(site, installed, update):
    path = installed()
    update(path, site.url, "-H", 'If-None-Match: "mine"')
    assert asked(site) == ('"mine"', None)


@pytest.mark.parametrize("text", [b"", b"known=1%09x\n", b"\xff\x00=\n=\n%",
                                  b"known=%0\n", b"known"])
def test_a_spoilt_file_means_nothing_is_known(site, installed, update, text):
    path = installed()
    with open(f"{path}.porta", "wb") as f:
        f.write(text)
    assert update(path, site.url).json["http_status"] == 200
    assert asked(site) == (None, None)


def test_allow_same_version_asks_for_all_of_it(site, installed, update):
    path = installed()
    assert update(path, site.url, "--allow-same-version").code == 0
    assert asked(site) == (None, None)


def test_the_file_is_for_its_owner(installed):
    path = installed()
    assert stat.S_IMODE(os.stat(f"{path}.porta").st_mode) == 0o600


@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
def test_with_nginx(porta, pki, flash, update, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a.bin").write_bytes(BODY)
    with nginx.Nginx(tmp_path / "www", *pki.server()) as server:
        path = flash()
        assert update(path, server.url("a.bin")).code == 0
        porta.ok("reset", path)
        porta.ok("confirm", path)
        ended = update(path, server.url("a.bin"))
    assert ended.code == 3, ended
    assert ended.json["http_status"] == 304
