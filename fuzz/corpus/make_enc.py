#!/usr/bin/env python3
"""Writes the first corpora of the fuzzers of encrypted images:
fuzz/corpus/{enc_stream,enc_key}/, from test/vectors/encrypted/.

Deterministic: running it again changes nothing."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "test" / "vectors" / "encrypted"


def put(folder, name, data):
    (HERE / folder).mkdir(exist_ok=True)
    (HERE / folder / name).write_bytes(data)


def streams():
    rsa = (VECTORS / "rsa3072.bin").read_bytes()
    ecies = (VECTORS / "ecies256.bin").read_bytes()
    put("enc_stream", "rsa", bytes([0x7F]) + rsa[:600])
    put("enc_stream", "ecies", bytes([0x10]) + ecies[:600])
    put("enc_stream", "bytes", bytes([0]) + ecies[:530])
    put("enc_stream", "head-cut", bytes([0x7F]) + ecies[:511])
    put("enc_stream", "magic-cut", bytes([0]) + ecies[:3])
    put("enc_stream", "plain", bytes([0x20]) + b"\xe9" + bytes(40))
    put("enc_stream", "page", bytes([0x20]) + b"<html>not found</html>")
    put("enc_stream", "empty-body", bytes([0x7F]) + ecies[:404] + bytes(108))
    put("enc_stream", "huge", bytes([0x7F]) + ecies[:404] + b"\xff" * 108 +
        b"x")
    for at in [0, 4, 70, 100, 388, 404, 408, 424, 512, 811]:
        put("enc_stream", f"ours-{at}", struct.pack("<BBHB", 0x90, 3, at, 1))
    for which in range(4):
        put("enc_stream", f"ours-whole-{which}", bytes([0xFF, which]))


def keys():
    for name in ["rsa3072.pem", "ecies256.pem", "ecies256.pub.pem",
                 "ecies256.hmac"]:
        put("enc_key", name, (VECTORS / name).read_bytes())
    put("enc_key", "empty", b"")
    put("enc_key", "frame", b"-----BEGIN PRIVATE KEY-----\n"
        b"-----END PRIVATE KEY-----\n")


if __name__ == "__main__":
    streams()
    keys()
