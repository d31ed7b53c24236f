"""A real nginx of its own: one folder, one free port, ended with the test."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

CONF = """\
daemon off;
master_process off;
pid {dir}/pid;
error_log {dir}/error.log warn;
{user}
events {{ worker_connections 64; }}
http {{
    access_log {dir}/access.log;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    types {{ application/octet-stream bin; text/html html; }}
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port} {ssl};
        {tls}
        root {root};
        {extra}
    }}
}}
"""

TLS = """\
ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols {protocols};
        {ciphers}
"""


def find():
    """The nginx program, or None: Debian keeps it in /usr/sbin."""
    return shutil.which("nginx") or shutil.which(
        "nginx", path="/usr/sbin:/usr/local/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """with Nginx(root, cert, key) as server: server.url("fw.bin")"""

    def __init__(self, root, cert=None, key=None,
                 protocols="TLSv1.2 TLSv1.3", ciphers=None, extra=""):
        self.root, self.cert, self.key = root, cert, key
        self.protocols, self.ciphers, self.extra = protocols, ciphers, extra
        self.process = None

    def url(self, path, host="localhost"):
        scheme = "https" if self.cert else "http"
        return f"{scheme}://{host}:{self.port}/{path}"

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="porta-nginx-")
        try:
            for _ in range(5):  # the port may be taken between look and use
                if self._start():
                    return self
            raise RuntimeError("nginx did not start: " + self._log())
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exc):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)
        shutil.rmtree(self.dir, ignore_errors=True)

    def requests(self):
        """Lines of the access log, one per request answered so far."""
        with open(os.path.join(self.dir, "access.log")) as log:
            return log.read().splitlines()

    def _log(self):
        try:
            with open(os.path.join(self.dir, "error.log")) as log:
                return log.read()
        except OSError:
            return "no log"

    def _start(self):
        self.port = free_port()
        tls = ""
        if self.cert:
            ciphers = (f"ssl_ciphers {self.ciphers};" if self.ciphers else "")
            tls = TLS.format(cert=self.cert, key=self.key,
                             protocols=self.protocols, ciphers=ciphers)
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w") as f:
            f.write(CONF.format(
                dir=self.dir, port=self.port, root=self.root, tls=tls,
                ssl="ssl" if self.cert else "", extra=self.extra,
                user="user root;" if os.getuid() == 0 else ""))
        self.process = subprocess.Popen(
            [find(), "-p", self.dir, "-e", f"{self.dir}/error.log", "-c",
             conf], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            # The pid is written when the port is bound: whoever answers
            # before that is somebody else who got the port.
            if os.path.exists(f"{self.dir}/pid") and self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                if self.cert:
                    context = ssl.create_default_context()
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    context.wrap_socket(s).close()
            return True
        except OSError:
            return False
