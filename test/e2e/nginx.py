"""A real nginx of its own: one folder, one port, ended with the test."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

from ports import HeldPort

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


class Nginx:
    """with Nginx(root, cert, key) as server: server.url("fw.bin")

    Then server.requests: lines of the access log, one per request. nginx
    writes a line when the client has its answer already, so that they are not
    complete before nginx has ended."""

    def __init__(self, root, cert=None, key=None,
                 protocols="TLSv1.2 TLSv1.3", ciphers=None, extra=""):
        self.root, self.cert, self.key = root, cert, key
        self.protocols, self.ciphers, self.extra = protocols, ciphers, extra
        self.process, self.requests = None, []

    def url(self, path, host="localhost"):
        scheme = "https" if self.cert else "http"
        return f"{scheme}://{host}:{self.port}/{path}"

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="porta-nginx-")
        self.held = HeldPort()
        self.port = self.held.number
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)
        self.requests = self._log("access.log").splitlines()
        self.held.socket.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _log(self, name):
        try:
            with open(os.path.join(self.dir, name)) as log:
                return log.read()
        except OSError:
            return ""

    def _write_conf(self):
        tls = ""
        if self.cert:
            ciphers = (f"ssl_ciphers {self.ciphers};" if self.ciphers else "")
            tls = TLS.format(cert=self.cert, key=self.key,
                             protocols=self.protocols, ciphers=ciphers)
        path = os.path.join(self.dir, "nginx.conf")
        with open(path, "w") as f:
            f.write(CONF.format(
                dir=self.dir, port=self.port, root=self.root, tls=tls,
                ssl="ssl" if self.cert else "", extra=self.extra,
                user="user root;" if os.getuid() == 0 else ""))
        return path

    def _start(self):
        self.process = subprocess.Popen(
            [find(), "-p", self.dir, "-e", f"{self.dir}/error.log", "-c",
             self._write_conf()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self._listens():
            if self.process.poll() is not None or \
                    time.monotonic() > deadline:
                raise RuntimeError("nginx did not start: " +
                                   (self._log("error.log") or "no log"))
            time.sleep(0.02)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False
