"""Certificates for tests and for the bench, made by the openssl command."""

import os
import subprocess

EC = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True,
                          stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr}")
    return done.stdout


class Pki:
    """One folder with a CA and what it signed. Paths are strings."""

    def __init__(self, folder, name="ca", subject="/CN=porta test CA"):
        self.folder, self.made = str(folder), 0
        self.ca = os.path.join(self.folder, name + ".pem")
        self.ca_key = os.path.join(self.folder, name + ".key")
        openssl("genpkey", *EC, "-out", self.ca_key)
        openssl("req", "-x509", "-new", "-key", self.ca_key, "-subj",
                subject, "-days", 3650, "-out", self.ca, "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")

    def other_ca(self):
        """A CA that signed nothing here."""
        self.made += 1
        name = f"other{self.made}"
        return Pki(self.folder, name, f"/CN={name}")

    def server(self, hosts=("localhost", "127.0.0.1"), days=30, rsa=False):
        """(certificate, key) for these names; days -1: expired."""
        self.made += 1
        base = os.path.join(self.folder, f"server{self.made}")
        names = ",".join(("IP:" if h[0].isdigit() else "DNS:") + h
                         for h in hosts)
        with open(base + ".ext", "w") as f:
            f.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n")
        openssl("genpkey", *(RSA if rsa else EC), "-out", base + ".key")
        openssl("req", "-new", "-key", base + ".key", "-subj",
                f"/CN={hosts[0]}", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.ca,
                "-CAkey", self.ca_key, "-CAcreateserial", "-days", days,
                "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + ".key"
