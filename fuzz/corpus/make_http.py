#!/usr/bin/env python3
"""Makes the first inputs of the HTTP fuzz targets. Run in this folder."""

import pathlib

OK = b"HTTP/1.1 200 OK\r\n"

SEEDS = {
    "http_url": {
        "plain": b"http://host/path?query#frag",
        "all": b"https://user:p%20w@host.example:8443/a/b;c?d=e&f",
        "ipv6": b"https://[2001:db8::1]:444/",
        "bare": b"http://h",
        "two_ats": b"http://a@b@c/",
        "port_too_large": b"http://h:65536/",
    },
    "http_location": {
        "path": b"https://h/a/b\n/c",
        "relative": b"https://h:8443/a/b/c?d\n../../x/./y?z#f",
        "host": b"https://h/a\n//i/b",
        "absolute": b"http://u@h/a\nhttps://v:w@i:444/b/../c",
        "down": b"https://h/\nhttp://h/",
        "file": b"https://h/\nfile:///etc/passwd",
        "query": b"http://h/a?b\n?c",
    },
    "http_head": {
        "nginx": OK + b"Server: nginx/1.22.1\r\nContent-Type: application/"
        b"octet-stream\r\nContent-Length: 893536\r\nLast-Modified: Mon, 01 "
        b"Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"65a-da\""
        b"\r\nAccept-Ranges: bytes\r\n\r\nbody",
        "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n",
        "old": b"HTTP/1.0 200 OK\nContent-Length: 3\n\nabc",
        "range": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
        b"0-65535/893536\r\nContent-Length: 65536\r\n\r\n",
        "unsatisfied": b"HTTP/1.1 416 No\r\nContent-Range: bytes */7\r\n\r\n",
        "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://h/x\r\n"
        b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n",
        "login": b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
        b"Retry-After: 120\r\n\r\n",
        "two_lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "folded": OK + b"X: a\r\n b\r\n\r\n",
        "blank_before_colon": OK + b"Content-Length : 1\r\n\r\n",
    },
    "http_chunk": {
        "two": b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: t\r\n\r\n",
        "end": b"0\r\n\r\nmore",
        "overflow": b"10000000000000003\r\nabc",
        "cut": b"ff\r\nabc",
        "no_end": b"1\r\na0\r\n\r\n",
    },
    "http_range": {
        "some": b"bytes 0-499/1234",
        "star": b"bytes 42-1233/*",
        "none": b"bytes */1234",
        "backwards": b"bytes 9-0/10",
        "largest": b"bytes 0-18446744073709551613/18446744073709551614",
    },
    "http_challenge": {
        "basic": b"Basic realm=\"a b\"",
        "digest": b"Digest realm=\"r\\\"q\", nonce=\"n\", qop=\"auth,auth-int"
        b"\", algorithm=SHA-256, opaque=\"o\", stale=true",
        "several": b"Negotiate YII=, Digest realm=r,nonce=n, Basic realm=b",
        "open_quote": b"Basic realm=\"x",
    },
    "http_client": {
        "length": b"\x07" + (OK + b"Content-Length: 2\r\n\r\nok") * 2,
        "chunked": b"\x00" + (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok"
                              b"\r\n0\r\n\r\n") * 2,
        "close": b"\x40" + OK + b"\r\nto the end",
        "interim": b"\x01HTTP/1.1 100 Go\r\n\r\n" + OK +
        b"Content-Length: 1\r\n\r\nx",
        "redirect": b"\x10HTTP/1.1 302 Go\r\nLocation: /g\r\nContent-Length: 0"
        b"\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
        "other_host": b"\x20HTTP/1.1 302 Go\r\nLocation: http://i/g\r\n"
        b"Content-Length: 0\r\n\r\n",
        "same_host_in_capitals": b"\x20HTTP/1.0 301 Go\r\nLocation: //u@H"
        b"\r\n\r\n",
        "login": b"\xffHTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm="
        b"\"r\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n" + OK +
        b"Content-Length: 2\r\n\r\nok",
        "no_body": b"\x30HTTP/1.1 304 No\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    },
}

for target, seeds in SEEDS.items():
    folder = pathlib.Path(__file__).parent / target
    folder.mkdir(exist_ok=True)
    for name, text in seeds.items():
        (folder / name).write_bytes(text)
