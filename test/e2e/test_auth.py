"""Who is asking: tokens of an OAuth2 server, Digest, Basic, a token in the
URL. Secrets are in no output."""

import base64
import hashlib
import json
import os
import re
import stat
import urllib.parse

import pytest

import rawimage
from apiserver import Answer, Server

BODY = rawimage.image(os.urandom(100000))
SECRETS = ("s3cret", "refresh-1", "refresh-2", "access-")


class Issuer:
    """A token endpoint. life: expires_in; rotate: refresh tokens change;
    in_body: credentials count there only."""

    def __init__(self):
        self.life, self.rotate, self.in_body = 3600, False, False
        self.good_for = 1 << 30  # requests that a token is accepted for
        self.refresh, self.tokens, self.fault = "refresh-1", {}, None
        self.fault_cnt = -1  # answers that are the fault, -1: all

    def client_ok(self, request, form):
        if self.in_body or not request.get("Authorization"):
            return form.get("client_secret") == "s3cret"
        want = base64.b64encode(b"dev%2F1:s3cret").decode()
        return request.get("Authorization") == f"Basic {want}"

    def token(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        fields = [("Content-Type", "application/json")]
        if self.fault:
            self.fault_cnt -= 1
            fault = self.fault
            self.fault = fault if self.fault_cnt != 0 else None
            return fault
        if form.get("grant_type") == "client_credentials":
            if not self.client_ok(request, form):
                return Answer(401, fields, '{"error":"invalid_client"}')
        elif form.get("refresh_token") != self.refresh:
            return Answer(400, fields, json.dumps({
                "error": "invalid_grant", "error_description":
                "unknown " + form.get("refresh_token", "")}))
        token = f"access-{len(self.tokens) + 1}" + "x" * 900
        self.tokens[token] = self.good_for
        said = {"access_token": token, "token_type": "bearer",
                "expires_in": self.life}
        if self.rotate and "refresh_token" in form:
            self.refresh = said["refresh_token"] = "refresh-2"
        return Answer(200, fields, json.dumps(said))

    def file(self, request):
        said = request.get("Authorization") or ""
        token = said.removeprefix("Bearer ")
        if self.tokens.get(token, 0) < 1:
            return Answer(401, [("WWW-Authenticate",
                                 'Bearer error="invalid_token"')])
        self.tokens[token] -= 1
        return Answer(200, [], BODY, ranges=True)

    def __call__(self, request):
        return (self.token if request.path == "/token" else self.file)(request)


@pytest.fixture
def issuer(pki):
    one = Issuer()
    with Server(one, *pki.server()) as server:
        one.server = server
        yield one


@pytest.fixture
def update(porta, pki):
    def run(path, url, *args):
        ended = porta("update", path, url, "--cacert", pki.ca, "--json",
                      *args)
        for secret in SECRETS:
            assert secret not in ended.out + ended.err, ended
        return ended
    return run


@pytest.fixture
def confirmed(porta):
    """A device on which nothing waits to be confirmed."""
    def settle(path):
        porta.ok("reset", path)
        porta.ok("confirm", path)
    return settle


@pytest.fixture
def oauth2(issuer, update, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")

    def run(path, *args, grant=("--client-secret", f"@{secret}"), url=None):
        return update(path, issuer.server.url("/app.bin"),
                      "--oauth2-token-url",
                      url or issuer.server.url("/token"), "--client-id",
                      "dev/1", *grant, *args)
    return run


def test_client_credentials(issuer, flash, oauth2):
    ended = oauth2(flash(), "--scope", "firmware read")
    assert ended.code == 0, ended
    assert issuer.server.paths == ["/token", "/app.bin"]
    assert b"scope=firmware%20read" in issuer.server.requests[0].body


def test_a_server_that_wants_them_in_the_body(issuer, flash, oauth2):
    issuer.in_body = True
    assert oauth2(flash()).code == 0
    assert issuer.server.paths == ["/token", "/token", "/app.bin"]


def test_one_token_for_all_ranges_on_one_connection(issuer, flash, oauth2):
    ended = oauth2(flash(), "--range-size", "16K")
    assert ended.code == 0, ended
    assert issuer.server.paths.count("/token") == 1
    assert ended.json["handshakes"] == 1


def test_a_token_that_is_refused_is_renewed_once_each_time(issuer, flash,
                                                           oauth2):
    issuer.good_for = 2
    ended = oauth2(flash(), "--range-size", "32K")
    assert ended.code == 0, ended
    assert len(issuer.tokens) == 2


def test_a_token_that_is_always_refused(issuer, flash, oauth2):
    issuer.good_for = 0
    ended = oauth2(flash())
    assert ended.code == 1, ended
    assert "401" in ended.json["error"]["message"]
    assert issuer.server.paths == ["/token", "/app.bin"] * 2


def test_a_token_that_expires_soon_is_not_kept(issuer, flash, oauth2):
    issuer.life = 0
    ended = oauth2(flash(), "--range-size", "64K")
    assert ended.code == 0, ended
    assert issuer.server.paths == ["/token", "/app.bin"] * 2


def test_a_rotated_refresh_token_is_kept_and_used(issuer, flash, oauth2,
                                                  confirmed, tmp_path):
    issuer.rotate, path = True, flash()
    (tmp_path / "refresh").write_text("refresh-1")
    grant = ("--refresh-token", f"@{tmp_path / 'refresh'}")
    assert oauth2(path, grant=grant).code == 0
    assert issuer.refresh == "refresh-2"
    assert stat.S_IMODE(os.stat(f"{path}.porta").st_mode) == 0o600
    confirmed(path)
    again = oauth2(path, "--allow-same-version", grant=grant)
    assert again.code == 0, again
    forms = [r.body for r in issuer.server.requests if r.path == "/token"]
    assert [b"refresh-2" in f for f in forms] == [False, True]
    with open(f"{path}.porta", encoding="ascii") as f:
        assert "refresh-1" not in f.read()


def test_a_kept_token_that_cannot_be_read_is_not_given_up(issuer, flash,
                                                          oauth2):
    """The first token is of no use any more: it is not asked with, and the
    file with the kept one stays."""
    path = flash()
    os.mkdir(f"{path}.porta")
    ended = oauth2(path, grant=("--refresh-token", "refresh-1"))
    assert ended.code == 1 and "Is a directory" in ended.err, ended
    assert not issuer.server.paths
    assert os.path.isdir(f"{path}.porta")


def test_errors_are_told_without_secrets(issuer, flash, oauth2):
    ended = oauth2(flash(), grant=("--client-secret", "wrong"))
    assert ended.code == 1, ended
    assert "invalid_client" in ended.json["error"]["message"]
    ended = oauth2(flash(), grant=("--refresh-token", "refresh-1-old"))
    assert "invalid_grant" in ended.json["error"]["message"]
    assert not any(p == "/app.bin" for p in issuer.server.paths)


@pytest.mark.parametrize("fault, said", [
    (Answer(302, [("Location", "/elsewhere")]), "302, a redirect"),
    (Answer(200, [], "<html>sign in</html>"), "no JSON object"),
    (Answer(200, [], "{}" + " " * 40000), "32768 bytes"),
    (Answer(503, [], "later"), "503 and no token"),
])
def test_an_endpoint_that_is_none(issuer, flash, oauth2, fault, said):
    issuer.fault = fault
    ended = oauth2(flash())
    assert ended.code == 1, ended
    assert said in ended.json["error"]["message"]
    assert issuer.server.paths == ["/token"]


def test_an_endpoint_that_is_there_later(issuer, flash, oauth2):
    issuer.fault, issuer.fault_cnt = Answer(503, [], "later"), 1
    ended = oauth2(flash(), "--retry", "1")
    assert ended.code == 0, ended
    assert ended.json["retries"] == 1
    assert issuer.server.paths == ["/token", "/token", "/app.bin"]


def test_the_endpoint_is_verified_too(pki, issuer, flash, oauth2):
    other = pki.other_ca()
    with Server(issuer, *other.server()) as stranger:
        ended = oauth2(flash(), url=stranger.url("/token"))
    assert ended.code == 1, ended
    assert ended.json["error"]["stage"] == "tls"
    assert f"localhost:{stranger.port}" in ended.json["error"]["message"]
    assert not stranger.requests


@pytest.mark.parametrize("args, said", [
    (["--client-id", "i"], "need --oauth2-token-url"),
    (["--oauth2-token-url", "https://h/t"], "needs --client-id"),
    (["--oauth2-token-url", "https://h/t", "--client-id", "i"],
     "--client-secret or --refresh-token"),
    (["--oauth2-token-url", "https://h/t", "--client-id", "i",
      "--client-secret", "s", "--bearer", "t"], "excludes"),
    (["--oauth2-token-url", "http://h/t", "--client-id", "i",
      "--client-secret", "s"], "use https:"),
])
def test_options_that_do_not_fit(flash, update, args, said):
    ended = update(flash(), "https://localhost:1/x", *args)
    assert ended.code == 2, ended
    assert said in ended.err


class Digest:
    """RFC 7616, as a server of its own."""

    def __init__(self, algorithm, stale_after=1 << 30):
        self.algorithm, self.stale_after = algorithm, stale_after
        self.nonces, self.last_nc = {}, 0

    def hash(self, *parts):
        name = {"MD5": "md5", "SHA-256": "sha256"}[self.algorithm]
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    def challenge(self, stale=False):
        nonce = f"nonce{len(self.nonces)}"
        self.nonces[nonce] = 0
        return Answer(401, [
            ("WWW-Authenticate", 'Basic realm="no"'),
            ("WWW-Authenticate", f'Digest realm="r, \\"x\\"", nonce="{nonce}",'
             f' qop="auth-int,auth", algorithm={self.algorithm}'
             f'{", stale=true" if stale else ""}')])

    def __call__(self, request):
        said = request.get("Authorization") or ""
        if not said.startswith("Digest "):
            return self.challenge()
        f = {k: q or w for k, q, w in re.findall(
            r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^, ]+))', said)}
        nonce = f["nonce"]
        self.nonces[nonce] += 1
        ha1 = self.hash("user", f["realm"], "pass")
        ha2 = self.hash(request.method, request.path)
        want = self.hash(ha1, nonce, f["nc"], f["cnonce"], "auth", ha2)
        good = f["response"] == want and f["uri"] == request.path and \
            int(f["nc"], 16) == self.nonces[nonce] and f["qop"] == "auth"
        if good and self.nonces[nonce] > self.stale_after:
            return self.challenge(stale=True)
        return Answer(body=BODY, ranges=True) if good else self.challenge()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest(pki, flash, update, algorithm):
    with Server(Digest(algorithm), *pki.server()) as server:
        ended = update(flash(), server.url("/a.bin?x=1"), "--user",
                       "user:pass", "--range-size", "32K")
    assert ended.code == 0, ended
    assert ended.json["handshakes"] == 1


def test_digest_with_nonces_that_go_stale(pki, flash, update):
    site = Digest("SHA-256", stale_after=2)
    with Server(site, *pki.server()) as server:
        ended = update(flash(), server.url("/a.bin"), "--user", "user:pass",
                       "--range-size", "16K")
    assert ended.code == 0, ended
    assert len(site.nonces) > 2


def test_digest_with_a_wrong_password(pki, flash, update):
    with Server(Digest("SHA-256"), *pki.server()) as server:
        ended = update(flash(), server.url("/a.bin"), "--user", "user:nope")
    assert ended.code == 1, ended
    assert "401" in ended.json["error"]["message"]
    assert len(server.requests) < 4


def test_a_token_in_the_url(pki, flash, update):
    def site(request):
        good = request.path == "/firmware.bin?token=MY_VALID_TOKEN"
        return Answer(body=BODY) if good else Answer(403)
    with Server(site, *pki.server()) as server:
        ended = update(flash(),
                       server.url("/firmware.bin?token=MY_VALID_TOKEN"))
        assert ended.code == 0, ended
        ended = update(flash(), server.url("/firmware.bin?token=OTHER"))
    assert ended.code == 1 and "403" in ended.json["error"]["message"]
    assert "OTHER" not in ended.json["error"]["message"]
