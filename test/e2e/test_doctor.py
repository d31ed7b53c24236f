"""porta doctor: what is missing is named, and how to mend it."""

import os
import shutil
import socket
import subprocess

import pytest

from ports import HeldPort


def checks(ended):
    return {c["name"]: c for c in ended.json["checks"]}


@pytest.fixture(name="path")
def only_path(tmp_path):
    """A PATH with nothing in it, and a way to put tools there."""
    folder = tmp_path / "path"
    folder.mkdir()

    class Path:
        env = {"PATH": str(folder)}

        @staticmethod
        def put(name, says):
            tool = folder / name
            tool.write_text(f"#!/bin/sh\n{says}\n")
            tool.chmod(0o755)

    return Path()


def test_here_all_is_told(porta):
    ended = porta("doctor", "--json")
    assert ended.code == 0, ended
    found = checks(ended)
    assert found["cmake"]["status"] == "ok" and "3." in found["cmake"]["found"]
    assert found["date"]["group"] == "clock"
    assert {"ninja", "pytest", "CAs of the system"} <= set(found)
    for check in found.values():
        assert (check["mend"] is None) == (check["status"] == "ok"), check


def test_nothing_is_there(porta, path):
    ended = porta("doctor", "--for", "build", "--json", env=path.env)
    assert ended.code == 1 and ended.json["result"] == "bad"
    found = checks(ended)
    for name in ("cmake", "ninja", "C compiler", "make"):
        assert found[name]["status"] == "bad", found[name]
        assert found[name]["mend"].startswith("apt-get install ")
    assert "emulator" not in found and "openssl" not in found


def test_what_nobody_asked_for_is_a_warning(porta, path):
    ended = porta("doctor", "--json", env=path.env)
    assert ended.code == 0, ended
    found = checks(ended)
    assert found["cmake"]["status"] == found["emulator"]["status"] == "warn"
    ended = porta("doctor", "--for", "run", "--json", env=path.env)
    assert ended.code == 0 and "cmake" not in checks(ended)


@pytest.mark.parametrize("says,status,found", [
    ("echo cmake version 3.25.0", "ok", "3.25.0"),
    ("echo cmake version 4.0", "ok", "4.0"),
    ("echo cmake version 3.9.6", "bad", "at least 3.25"),
    ("echo cmake version 3.24.99", "bad", "at least 3.25"),
    ("echo no number here", "bad", "version unknown"),
    ("exit 1", "bad", "not there"),
    ("kill -9 $$", "bad", "does not answer"),
    (r"printf '\033[31m3.30.1'", "ok", "3.30.1")])
def test_versions_are_compared_as_numbers(porta, path, says, status, found):
    path.put("cmake", says)
    ended = porta("doctor", "--for", "project", "--json", env=path.env)
    check = checks(ended)["cmake"]
    assert check["status"] == status and found in check["found"], check


def test_text_for_people(porta, path):
    path.put("cmake", "echo 3.1")
    ended = porta("doctor", "--for", "project", env=path.env)
    assert ended.code == 1
    assert "BAD  cmake: version 3.1" in ended.out
    assert "     -> apt-get install cmake\n" in ended.out
    assert ended.out.splitlines()[-1].endswith(" bad")
    quiet = porta("doctor", "--for", "project", "--quiet", env=path.env)
    assert "ok " not in quiet.out.rsplit("\n", 2)[0]
    assert "BAD  cmake" in quiet.out


def test_a_port_in_use(porta):
    with HeldPort() as held:
        port = held.number
        busy = socket.create_server(("127.0.0.1", port))
        ended = porta("doctor", "--for", "run", "--port", port, "--json")
        assert ended.code == 1, ended
        check = checks(ended)[f"port {port} for porta serve"]
        assert check["status"] == "bad" and "in use by" in check["found"]
        assert f"process {os.getpid()}" in check["found"], check
        assert "--port 0" in check["mend"]
        busy.close()
        ended = porta("doctor", "--for", "run", "--port", port, "--json")
    assert ended.code == 0, ended


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True,
                   capture_output=True)


P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
HERE = "DNS:localhost"
SERVERS = ["good", "soon", "over", "short", "rsa", "sha1", "client", "sealed",
           "here", "below", "numbered"]


@pytest.fixture(name="shop", scope="module")
def certificates(tmp_path_factory):
    """A CA, one below it, and server certificates good and bad."""
    folder = tmp_path_factory.mktemp("shop")

    def make(name, issuer, names="", days="3650", ca=False, key=P256,
             digest="sha256", use=""):
        ext = folder / f"{name}.ext"
        ext.write_text(f"basicConstraints=CA:{'TRUE' if ca else 'FALSE'}\n" +
                       (f"subjectAltName={names}\n" if names else "") + use)
        openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out",
                folder / f"{name}.csr")
        sign = (["-CA", folder / f"{issuer}.pem", "-CAkey",
                 folder / f"{issuer}.key", "-CAcreateserial"] if issuer else
                ["-signkey", folder / f"{name}.key"])
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-days", days,
                "-extfile", ext, *sign, f"-{digest}", "-out",
                folder / f"{name}.pem")

    make("root", None, ca=True)
    make("middle", "root", ca=True)
    make("good", "middle", "DNS:fw.example,DNS:*.dev.example")
    make("soon", "middle", "DNS:fw.example", days="3")
    make("over", "middle", "DNS:fw.example", days="-1")
    make("other", None, "DNS:fw.example")
    make("short", "middle", HERE, key=["rsa:1024"])
    make("rsa", "middle", HERE, key=["rsa:2048"])
    make("sha1", "middle", HERE, digest="sha1")
    make("client", "middle", HERE, use="extendedKeyUsage=clientAuth\n")
    make("sealed", "middle", HERE, use="keyUsage=keyAgreement\n")
    make("here", "middle", HERE)
    make("below", "good", HERE)
    make("numbered", "middle", "IP:192.0.2.1,IP:2001:db8::1")
    for name in SERVERS:
        parts = [name, "good", "middle"] if name == "below" else [name,
                                                                  "middle"]
        (folder / f"{name}-chain.pem").write_text(
            "".join((folder / f"{p}.pem").read_text() for p in parts))
    (folder / "junk.pem").write_text("no certificate\n")
    return folder


@pytest.mark.parametrize("cert,key,host,bad,says", [
    ("good-chain", "good", "fw.example", [], None),
    ("good-chain", "good", "a.dev.example", [], None),
    ("good-chain", "good", "a.b.dev.example", ["host name"], "*.dev.example"),
    ("good-chain", "soon", "fw.example", ["private key"], "another"),
    ("good-chain", "junk", "fw.example", ["private key"], "no private key"),
    ("good", "good", "fw.example", ["chain"], "issuer"),
    ("short-chain", "short", "localhost", ["chain"], "RSA needs 2048"),
    ("sha1-chain", "sha1", "localhost", ["chain"], "SHA-256 is the least"),
    ("client-chain", "client", "localhost", ["chain"], "key usage"),
    ("sealed-chain", "sealed", "localhost", ["chain"], "key usage"),
    ("below-chain", "below", "localhost", ["chain"], "issuer"),
    ("short-chain", "short", "a.example", ["chain", "host name"],
     "a.example is not among its names: localhost"),
    ("numbered-chain", "numbered", "192.0.2.1", [], None),
    ("numbered-chain", "numbered", "192.0.2.2", ["host name"],
     "192.0.2.2 is not among its names: 192.0.2.1, 2001:db8::1"),
    ("over-chain", "over", "fw.example", ["dates", "chain"], "expired on"),
    ("other", "other", "fw.example", ["chain"], "is self-signed"),
    ("junk", "good", "fw.example", ["file"], "no certificate"),
    ("absent", "good", "fw.example", ["file"], "cannot open")])
def test_certificates(porta, shop, cert, key, host, bad, says):
    junk = shop / "junk.pem"
    ended = porta("doctor", "--for", "run", "--cert", shop / f"{cert}.pem",
                  "--key", junk if key == "junk" else shop / f"{key}.key",
                  "--cacert", shop / "root.pem", "--host", host, "--json")
    found = [c for c in ended.json["checks"] if c["group"] == "certificate"]
    assert [c["name"] for c in found if c["status"] == "bad"] == bad, ended
    assert ended.code == (1 if bad else 0)
    if says:
        assert says in " ".join(c["found"] for c in found
                                if c["status"] == "bad"), found


@pytest.mark.parametrize("name", SERVERS)
def test_an_update_decides_alike(porta, shop, flash, tmp_path, name):
    (tmp_path / "www").mkdir()
    cert, key = shop / f"{name}-chain.pem", shop / f"{name}.key"
    trust = ["--cacert", shop / "root.pem"]
    said = porta("doctor", "--for", "run", "--cert", cert, *trust, "--host",
                 "localhost", "--json").json["checks"]
    good = all(c["status"] != "bad" for c in said if c["name"] != "dates")
    with porta.start("serve", tmp_path / "www", "--port", "0", "--quiet",
                     "--cert", cert, "--key", key,
                     stdout=subprocess.PIPE) as server:
        url = server.stdout.readline().strip()
        ended = porta("update", flash(), url + "x", *trust, "--json")
        server.terminate()
    assert ended.json["error"]["stage"] == ("http" if good else "tls"), said
    assert good == (name in ("rsa", "here"))


@pytest.mark.parametrize("option", ["--cert", "--key", "--cacert"])
def test_a_pipe_is_not_waited_for(porta, shop, tmp_path, option):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    args = {"--cert": shop / "here-chain.pem", "--key": shop / "here.key",
            "--cacert": shop / "root.pem", option: pipe}
    words = [w for pair in args.items() for w in pair]
    ended = porta("doctor", "--for", "run", *words, "--json", timeout=20)
    assert ended.code == 1
    assert "is a pipe" in "".join(c["found"] for c in ended.json["checks"])
    ended = porta("doctor", "--for", "run", pipe, timeout=20)
    assert ended.code == 1 and "is not a regular file" in ended.out


def test_what_a_shell_pipes_is_read(porta, shop):
    line = ('"$0" doctor --for run --cert <(cat "$1/here-chain.pem") '
            '--cacert <(cat "$1/root.pem") --host localhost')
    done = subprocess.run(["bash", "-c", line, porta.path, shop], text=True,
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 0 and "chain: leads to" in done.stdout, done


def test_a_certificate_that_ends_soon_is_a_warning(porta, shop):
    ended = porta("doctor", "--for", "run", "--cert", shop / "soon-chain.pem",
                  "--cacert", shop / "root.pem", "--json")
    assert ended.code == 0
    check = checks(ended)["dates"]
    assert check["status"] == "warn" and "expires on" in check["found"]
    assert "renew" in check["mend"]


def test_a_flash_file(porta, flash, tmp_path):
    path = flash()
    before = path.read_bytes()
    found = checks(porta.ok("doctor", path, "--for", "run", "--json"))
    assert "ota_0" in found["next boot"]["found"]
    assert path.read_bytes() == before
    blank = tmp_path / "blank.bin"
    porta.ok("flash", "create", "-o", blank, "--erased")
    ended = porta("doctor", blank, "--for", "run", "--json")
    assert ended.code == 1
    assert checks(ended)["next boot"]["status"] == "bad"
    assert "porta explain" in checks(ended)["next boot"]["mend"]
    ended = porta("doctor", tmp_path / "none", "--for", "run", "--json")
    assert ended.code == 1 and "none" in checks(ended)["flash file"]["found"]
    (tmp_path / "short").write_bytes(b"x")
    assert porta("doctor", tmp_path / "short", "--for", "run").code == 1


@pytest.mark.parametrize("args", [
    ["--for", "nothing"], ["--port", "0"], ["--port", "70000"],
    ["--port", "4294967295"], ["--port", "4294967376"], ["--port", "80x"],
    ["--host", "x"], ["a", "b"]])
def test_wrong_command_lines(porta, args):
    assert porta("doctor", *args).code == 2


def test_it_finds_no_tool_of_this_folder(porta, tmp_path):
    """An empty PATH is not the current folder."""
    shutil.copy("/bin/true", tmp_path / "ninja")
    done = subprocess.run([porta.path, "doctor", "--for", "project"],
                          cwd=tmp_path, env={"PATH": "/nonexistent"},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "ninja: not there" in done.stdout
