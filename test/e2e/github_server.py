"""What a private release asset meets: an API that wants a token and the right
Accept, and sends on to a store whose URLs are signed, long, and short-lived,
and that refuses requests which bring an Authorization of their own."""

import hashlib
import json

from apiserver import Answer, Server

TOKEN = "ghp_" + "aB3" * 300  # as long as some tokens are
ASSET = "/repos/acme/firmware/releases/assets/4711"
POLICY = "default-src 'none'; " + "connect-src https://example.invalid " * 90


class Github:
    """with Github(cert, key, body) as hub: hub.api.url(ASSET)

    lives: how many requests a signed URL is good for."""

    def __init__(self, cert, key, body, lives=1 << 30, token=TOKEN):
        self.body, self.lives, self.token = body, lives, token
        self.left = {}
        self.api = Server(self.ask_api, cert, key)
        self.store = Server(self.ask_store, cert, key)

    def ask_api(self, request):
        said = request.get("Authorization")
        noise = [("Content-Security-Policy", POLICY),
                 ("X-GitHub-Request-Id", "0" * 600)]
        if said is None or request.path != ASSET:
            return Answer(404, noise, '{"message": "Not Found"}')
        if said != f"Bearer {self.token}":
            return Answer(401, noise, '{"message": "Bad credentials"}')
        if request.get("Accept") != "application/octet-stream":
            return Answer(200, noise + [("Content-Type", "application/json")],
                          json.dumps({"id": 4711, "name": "app.bin"}))
        mint = f"{len(self.left):04}" + hashlib.sha512(b"x").hexdigest() * 9
        self.left[mint] = self.lives
        return Answer(302, noise + [(
            "Location", self.store.url(f"/asset/app.bin?sig={mint}"
                                       "&rscd=attachment%3B+filename%3Dapp",
                                       host="127.0.0.1"))])

    def ask_store(self, request):
        if request.get("Authorization") or request.get("X-Mine"):
            return Answer(400, [("Content-Type", "text/plain")],
                          "Only one auth mechanism allowed")
        mint = request.path.split("sig=")[-1].split("&")[0]
        if self.left.get(mint, 0) < 1:
            return Answer(403, [("Content-Type", "text/plain")], "expired")
        self.left[mint] -= 1
        return Answer(200, [("ETag", '"asset-1"')], self.body, ranges=True)

    def __enter__(self):
        self.api.__enter__()
        self.store.__enter__()
        return self

    def __exit__(self, *args):
        self.api.__exit__()
        self.store.__exit__()
