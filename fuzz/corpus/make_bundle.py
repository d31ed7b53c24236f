#!/usr/bin/env python3
"""Seeds for the bundle fuzzer: two certificates of openssl's making as PEM, as
DER and as bundles, and damaged ones. Keys are made anew each time, so the
files change when this is run."""

import os
import struct
import subprocess
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bundle")


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], check=True, input=data,
                          capture_output=True).stdout


def certificate(folder, name, *key):
    path = os.path.join(folder, "key")
    openssl("genpkey", *key, "-out", path)
    return openssl("req", "-x509", "-new", "-key", path, "-subj", name,
                   "-days", "3650")


def parts(pem):
    """Subject and public key, both DER."""
    der = openssl("x509", "-outform", "DER", data=pem)
    key = openssl("pkey", "-pubin", "-outform", "DER",
                  data=openssl("x509", "-noout", "-pubkey", data=pem))
    # TBSCertificate: version, serial, algorithm, issuer, validity, subject
    at = 4 + 4
    for skip in range(5):
        at += length(der, at)
    return der[at:at + length(der, at)], key


def length(der, at):
    first = der[at + 1]
    if first < 0x80:
        return 2 + first
    cnt = first & 0x7f
    return 2 + cnt + int.from_bytes(der[at + 2:at + 2 + cnt], "big")


def bundle(entries):
    entries = sorted(entries)
    at = 4 * len(entries)
    head, body = b"", b""
    for name, key in entries:
        head += struct.pack("<I", at + len(body))
        body += struct.pack("<HH", len(name), len(key)) + name + key
    return head + body


def main():
    os.makedirs(HERE, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        ec = certificate(folder, "/CN=One", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:P-256")
        rsa = certificate(folder, "/C=DE/O=Two/CN=Two, or \"2\"",
                          "-algorithm", "RSA", "-pkeyopt",
                          "rsa_keygen_bits:2048")
    one, two = parts(ec), parts(rsa)
    both = bundle([one, two])
    files = {
        "both": both, "one": bundle([one]), "same_name": bundle(
            [one, (one[0], two[1])]),
        "cut": both[:-1], "unsorted": both[4:8] + both[:4] + both[8:],
        "pem": ec + rsa, "pem_cut": (ec + rsa)[:-60],
        "der": openssl("x509", "-outform", "DER", data=ec),
        "no_names": bundle([(b"\x30\x00", one[1])]),
        "blank": b"",
    }
    for name, data in files.items():
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(data)


main()
