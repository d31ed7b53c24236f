"""The network that the runner gives the board: a namespace of its own where
that is allowed, the emulator's user network where not, and what is left of
either."""

import ctypes
import os
import pathlib
import platform
import shlex
import struct
import subprocess
import sys
import time

import pytest

import nginx
from conftest import HOST, HOST6, PORTA, app, was_updated
from ports import HeldPort

UNSHARE = {"x86_64": 272, "aarch64": 97, "riscv64": 97}


def refuse_unshare():
    """In a child: from now on unshare(2) is not permitted, as in many
    containers. PR_SET_NO_NEW_PRIVS, and a filter for seccomp: load the number
    of the call; is it this one? then an error; anything else is allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    rows = [(0x20, 0, 0, 0),
            (0x15, 0, 1, UNSHARE[platform.machine()]),
            (0x06, 0, 0, 0x00050000 | 1),  # SECCOMP_RET_ERRNO, EPERM
            (0x06, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("<HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(
        struct.pack("@HP", len(rows), ctypes.addressof(code)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def may_unshare():
    return subprocess.run(["unshare", "-n", "-m", "true"],
                          capture_output=True).returncode == 0 or \
        subprocess.run(["unshare", "-U", "-r", "-n", "-m", "true"],
                       capture_output=True).returncode == 0


needs_own = pytest.mark.skipif(
    not may_unshare(), reason="no network namespaces are allowed here")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "fw.bin").write_bytes(app("ota-2").read_bytes())
    return folder


def serve_command(folder, cert, *more):
    return shlex.join(map(str, (PORTA, "serve", folder, "--cert", cert[0],
                                "--key", cert[1], *more)))


def log_of(board, name="server.log"):
    return (board.folder / "flash.bin.run" / name).read_text()


# --- a namespace of its own -----------------------------------------------------


@needs_own
@pytest.mark.parametrize("host,bind", [
    ("ota.test", "127.0.0.1"), (HOST, "127.0.0.1"), (f"[{HOST6}]", "::1")])
def test_updates_from_the_server_beside_it(board, pki, folder, host, bind):
    """By a name, by either address; the port is one that is always taken
    elsewhere."""
    cert = pki.server(hosts=("ota.test", HOST, HOST6))
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=f"https://{host}:443/fw.bin")
    boots = board.run("--server", serve_command(folder, cert, "--port", "443",
                                                "--bind", bind))
    assert was_updated(boots), boots
    assert boots.report["network"] == "own"
    assert "network: a namespace of its own" in boots.console
    assert "GET /fw.bin 200" in log_of(board)


@needs_own
def test_updates_from_a_name_with_ipv6_only(board, pki, folder):
    """Asked for addresses of IPv6, the name has one."""
    cert = pki.server(hosts=("ota.test",))
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://ota.test:443/fw.bin", family=6)
    boots = board.run("--server", serve_command(folder, cert, "--port", "443",
                                                "--bind", "::1"))
    assert was_updated(boots), boots


@needs_own
def test_updates_from_nginx(board, pki, folder):
    if not nginx.find():
        pytest.skip("nginx is not installed")
    cert, key = pki.server(hosts=("ota.test",))
    conf = board.folder / "nginx.conf"
    tls = nginx.TLS.format(cert=cert, key=key, protocols="TLSv1.3", ciphers="")
    conf.write_text(nginx.CONF.format(
        dir=board.folder, port=443, ssl="ssl", tls=tls, root=folder, extra="",
        user="user root;" if os.geteuid() == 0 else ""))
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://ota.test/fw.bin")
    boots = board.run("--server", f"exec {nginx.find()} -c {conf}")
    assert was_updated(boots), boots


@needs_own
def test_reaches_nothing_else(board, serve, pki):
    """A server of this machine that the user network reaches."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve("ota-2").url())
    boots = board.run("--network", "own")
    assert boots.report["network"] == "own"
    assert boots.slots == ["ota_0"] and "stage=connect" in boots.console
    boots = board.run("--network", "user")
    assert boots.report["network"] == "user"
    assert was_updated(boots), boots


@needs_own
def test_a_name_that_is_none_has_no_address(board, pki):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://nobody.invalid/app.bin")
    boots = board.run("--network", "own")
    assert boots.slots == ["ota_0"] and "stage=resolve" in boots.console


# --- where that is not allowed ----------------------------------------------------


needs_filter = pytest.mark.skipif(
    platform.machine() not in UNSHARE,
    reason="the number of unshare(2) of this machine is not known here")


@needs_filter
def test_user_network_where_a_namespace_is_not_allowed(board, pki, folder):
    """It says so, and the server is on this machine's network."""
    with HeldPort() as held:
        port = held.number
        board.make(ota_0="ota-1")
        board.settings(pki.ca, url=f"https://{HOST}:{port}/fw.bin")
        cert = pki.server(hosts=(HOST,))
        boots = board.run("--server", serve_command(
            folder, cert, "--port", port), preexec_fn=refuse_unshare)
    assert was_updated(boots), boots
    assert boots.report["network"] == "user"
    assert "a namespace is not possible here" in boots.console


@needs_filter
def test_says_that_its_own_is_not_possible(board):
    board.make(ota_0="ota-1")
    boots = board.run("--network", "own", preexec_fn=refuse_unshare)
    assert boots.code == 1 and boots.report["boots"] == 0
    assert "--network user" in boots.report["error"]["message"]


def test_user_network_is_what_it_is_without_a_server(board):
    board.make(ota_0="ota-1")
    boots = board.run(boots=1)
    assert boots.report["network"] == "user"
    assert board.run("--no-network").report["network"] == "none"


# --- servers that leave -------------------------------------------------------------


# Twice forked, in a session of its own, and its parents have ended.
DAEMON = """import os, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@needs_own
@pytest.mark.parametrize("how", ["setsid", "background", "daemon"])
def test_updates_from_a_server_that_leaves_its_group(board, pki, folder, how):
    """It is seen to listen, it serves, and it ends with the board."""
    serve = serve_command(folder, pki.server(hosts=("ota.test",)), "--port",
                          "443")
    server = {"setsid": f"exec setsid {serve}", "background": f"{serve} &",
              "daemon": shlex.join([sys.executable, "-c", DAEMON]) + " " +
                        serve}[how]
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://ota.test/fw.bin")
    boots = board.run("--server", server)
    assert was_updated(boots), boots
    assert "the server ended" not in boots.console
    assert "GET /fw.bin 200" in log_of(board)
    assert not processes_with(str(folder))


def test_says_that_a_daemon_ended(board, folder, pki):
    """With its own status, not with that of who started it."""
    console = board.folder / "flash.bin.run" / "console.log"
    daemon = (serve_command(folder, pki.server(), "--port", "0") +
              f" & until test -s {console}; do sleep 0.1; done; "
              "kill $!; wait $!; exit 5")
    board.make(ota_0="ota-1")
    process = board.start("--server", f"setsid sh -c {shlex.quote(daemon)} &",
                          boots=0)
    said = next((line for line in process.stdout if "server ended" in line),
                "nothing")
    process.terminate()
    process.communicate(timeout=20)
    assert "board: the server ended with status 5;" in said, said
    assert process.returncode == 0


# --- servers that do not serve ------------------------------------------------------


def test_says_that_the_server_ended(board):
    board.make(ota_0="ota-1")
    boots = board.run("--server", "echo sorry; exit 7")
    assert boots.code == 1 and boots.report["boots"] == 0
    message = boots.report["error"]["message"]
    assert "status 7" in message and "server.log" in message
    assert log_of(board) == "sorry\n"


def test_says_by_which_signal_the_server_ended(board):
    board.make(ota_0="ota-1")
    boots = board.run("--server", "kill -9 $$")
    assert boots.code == 1
    assert "status 137" in boots.report["error"]["message"]


def test_says_that_the_server_ended_while_the_board_runs(board, folder, pki):
    board.make(ota_0="ota-1")
    serve = serve_command(folder, pki.server(), "--port", "0")
    boots = board.run("--server", f"timeout --foreground 6 {serve}",
                      "--max-time", "12", boots=0)
    assert boots.console.count("board: the server ended with status 124") == 1, \
        boots.console


def test_does_not_wait_for_a_server_longer_than_the_board_may_run(board):
    board.make(ota_0="ota-1")
    begin = time.monotonic()
    boots = board.run("--server", "sleep 60", "--max-time", "0.2", boots=0)
    assert boots.report["ended"] == "time" and boots.report["boots"] == 0
    assert boots.code == 0 and time.monotonic() - begin < 8


def test_is_switched_off_while_it_waits_for_a_server(board):
    board.make(ota_0="ota-1")
    process = board.start("--server", "sleep 60", boots=0)
    until = time.monotonic() + 8
    log = board.folder / "flash.bin.run" / "server.log"
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.01)
    process.terminate()
    process.communicate(timeout=8)
    assert process.returncode == 0


@pytest.mark.parametrize("arguments,words", [
    (["--board", "qemu-virt-rv32", "--network", "mine"], "own, user or auto"),
    (["--board", "qemu-virt-rv32", "--network", "own", "--no-network"],
     "--no-network"),
    (["--server", "true"], "are for a --board")])
def test_says_what_it_cannot_do(board, arguments, words):
    board.make(ota_0="ota-1")
    done = subprocess.run([PORTA, "device", board.flash, *arguments],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and words in done.stderr, done.stderr


# --- what is left ---------------------------------------------------------------------


def processes_with(text):
    """Ids of processes that have this in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass  # it ended
    return found


@pytest.mark.parametrize("network", [
    pytest.param("own", marks=needs_own), "user"])
@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_nothing_is_left(board, folder, pki, network, end):
    """The server's own children and those that left its group included."""
    server = (f"(exec -a {board.folder}/mark setsid sleep 600) & "
              "exec " + serve_command(folder, pki.server(), "--port", "0"))
    board.make(ota_0="ota-1")
    process = board.start("--network", network, "--server",
                          f"bash -c {shlex.quote(server)}", boots=0)
    until = time.monotonic() + 20
    console = board.folder / "flash.bin.run" / "console.log"
    while time.monotonic() < until and not (
            console.exists() and "RUNS" in console.read_text()):
        time.sleep(0.01)
    running = processes_with(str(board.folder))
    assert len(running) >= 4, running  # runner, emulator, server, its child
    getattr(process, end)()
    process.communicate(timeout=10)
    until = time.monotonic() + 10
    while time.monotonic() < until and processes_with(str(board.folder)):
        time.sleep(0.01)
    assert not processes_with(str(board.folder))
    assert board.run("--no-network", boots=1).slots == ["ota_0"]
