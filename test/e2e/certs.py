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
    digest = "-sha256"  # of signatures; may be set

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
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)  # both count their files from 1
        return Pki(folder, name, f"/CN={name}")

    def below(self):
        """A CA that this one signed: its .ca must be sent along."""
        self.made += 1
        name = f"middle{self.made}"
        base = os.path.join(self.folder, name)
        with open(base + ".ext", "w") as f:
            f.write("basicConstraints=critical,CA:TRUE\n"
                    "keyUsage=critical,keyCertSign,cRLSign\n")
        openssl("genpkey", *EC, "-out", base + ".key")
        openssl("req", "-new", "-key", base + ".key", "-subj", f"/CN={name}",
                "-out", base + ".csr")
        openssl("x509", "-req", self.digest, "-in", base + ".csr", "-CA", self.ca,
                "-CAkey", self.ca_key, "-CAcreateserial", "-days", 3650,
                "-extfile", base + ".ext", "-out", base + ".pem")
        middle = object.__new__(Pki)
        middle.folder, middle.made = self.folder + "/" + name, 0
        middle.digest = self.digest
        os.mkdir(middle.folder)
        middle.ca, middle.ca_key = base + ".pem", base + ".key"
        return middle

    def self_signed(self, host="localhost"):
        """(certificate, key) that nobody signed."""
        self.made += 1
        base = os.path.join(self.folder, f"self{self.made}")
        openssl("genpkey", *EC, "-out", base + ".key")
        openssl("req", "-x509", "-new", "-key", base + ".key", "-subj",
                f"/CN={host}", "-days", 30, "-out", base + ".pem", "-addext",
                f"subjectAltName=DNS:{host}")
        return base + ".pem", base + ".key"

    def dated(self, start, end, host="localhost"):
        """(certificate, key) valid between these: YYYYMMDDHHMMSSZ."""
        self.made += 1
        base = os.path.join(self.folder, f"dated{self.made}")
        with open(base + ".cnf", "w") as f:
            f.write(f"""[ca]
default_ca=me
[me]
database={base}.db
serial={base}.srl
new_certs_dir={self.folder}
default_md=sha256
policy=any
x509_extensions=ext
[any]
commonName=supplied
[ext]
subjectAltName=DNS:{host}
basicConstraints=CA:FALSE
""")
        open(base + ".db", "w").close()
        with open(base + ".srl", "w") as f:
            f.write(f"{0x1000 + self.made:04x}\n")
        openssl("genpkey", *EC, "-out", base + ".key")
        openssl("req", "-new", "-key", base + ".key", "-subj", f"/CN={host}",
                "-out", base + ".csr")
        openssl("ca", "-batch", "-notext", "-config", base + ".cnf", "-in",
                base + ".csr", "-cert", self.ca, "-keyfile", self.ca_key,
                "-startdate", start, "-enddate", end, "-out", base + ".pem")
        return base + ".pem", base + ".key"

    def server(self, hosts=("localhost", "127.0.0.1"), days=30, rsa=False,
               bits=2048):
        """(certificate, key) for these names; days -1: expired."""
        self.made += 1
        base = os.path.join(self.folder, f"server{self.made}")
        names = ",".join(("IP:" if h[0].isdigit() or ":" in h else "DNS:") + h
                         for h in hosts)
        with open(base + ".ext", "w") as f:
            f.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n")
        key = RSA[:-1] + [f"rsa_keygen_bits:{bits}"] if rsa else EC
        openssl("genpkey", *key, "-out", base + ".key")
        openssl("req", "-new", "-key", base + ".key", "-subj",
                f"/CN={hosts[0]}", "-out", base + ".csr")
        openssl("x509", "-req", self.digest, "-in", base + ".csr", "-CA", self.ca,
                "-CAkey", self.ca_key, "-CAcreateserial", "-days", days,
                "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + ".key"
