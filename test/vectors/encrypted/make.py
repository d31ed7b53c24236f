#!/usr/bin/env python3
"""Makes the files of this folder anew, with Python's cryptography (Debian:
python3-cryptography), which shares no code with what they test."""
import hashlib
import os
import pathlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = pathlib.Path(__file__).resolve().parent
SALT = bytes.fromhex("0e2160642dae76d33448e43d7720123d"
                     "9f3b1eceb88e573a4e8f7fb94ff0c869")
PEM = serialization.Encoding.PEM
# What is encrypted: no image, but it begins as one.
PLAIN = b"\xe9" + bytes(i * 7 % 251 for i in range(1, 1000))


def public_pem(key):
    return key.public_key().public_bytes(
        PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def seal(wrapped, aes):
    iv = os.urandom(16)
    sealed = AESGCM(aes).encrypt(iv, PLAIN, None)
    head = struct.pack("<I384s16sI16s", 0x0788b6cf, wrapped, iv, len(PLAIN),
                       sealed[-16:])
    return head.ljust(512, b"\0") + sealed[:-16]


def main():
    key = rsa.generate_private_key(65537, 3072)
    (HERE / "rsa3072.pem").write_bytes(key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    aes = os.urandom(32)
    (HERE / "rsa3072.bin").write_bytes(
        seal(key.public_key().encrypt(aes, padding.PKCS1v15()), aes))

    hmac = os.urandom(32)
    scalar = hashlib.pbkdf2_hmac("sha256", hmac, SALT, 2048)
    device = ec.derive_private_key(int.from_bytes(scalar, "big"),
                                   ec.SECP256R1())
    (HERE / "ecies256.hmac").write_bytes(hmac)
    (HERE / "ecies256.pem").write_bytes(device.private_bytes(
        PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()))
    (HERE / "ecies256.pub.pem").write_bytes(public_pem(device))
    once = ec.generate_private_key(ec.SECP256R1())
    salt = os.urandom(32)
    aes = HKDF(hashes.SHA256(), 32, salt, b"_esp_enc_img_ecc").derive(
        once.exchange(ec.ECDH(), device.public_key()))
    point = once.public_key().public_bytes(
        serialization.Encoding.X962,
        serialization.PublicFormat.UncompressedPoint)
    (HERE / "ecies256.bin").write_bytes(seal(point[1:] + salt, aes))
    (HERE / "plain.bin").write_bytes(PLAIN)


if __name__ == "__main__":
    main()
