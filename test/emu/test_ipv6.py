"""IPv6: an address from a router's advertisement, a server at a literal
address, a network that has nothing else."""

import socket

import pytest

from conftest import HOST6, was_updated
from ports import HeldPort

ONLY_V6 = ["--no-network", "--qemu-arg=-netdev",
           "--qemu-arg=user,id=n0,ipv4=off", "--qemu-arg=-device",
           "--qemu-arg=virtio-net-device,netdev=n0"]


@pytest.fixture
def serve6(serve):
    """serve6("ota-2") -> a server on the host's IPv6 loopback"""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as why:
        pytest.skip(f"this machine has no IPv6: {why}")
    return lambda image, **more: serve(image, "--bind", "::1", **more)


@pytest.mark.parametrize("network", [[], ONLY_V6], ids=["both", "only IPv6"])
def test_updates_from_a_literal_address(board, serve6, pki, network):
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve6("ota-2").url(host=f"[{HOST6}]"))
    boots = board.run(*network)
    assert was_updated(boots), boots


def test_refuses_a_certificate_for_another_address(board, serve6, pki):
    board.make(ota_0="ota-1")
    server = serve6("ota-2", cert=pki.server(hosts=("fec0::3", "localhost")))
    board.settings(pki.ca, url=server.url(host=f"[{HOST6}]"))
    boots = board.run()
    assert boots.slots == ["ota_0"] and "wrong host name" in boots.console


def test_says_that_nobody_listens_there(board, serve6, pki):
    with HeldPort("::1") as port:
        board.make(ota_0="ota-1")
        board.settings(pki.ca, url=f"https://[{HOST6}]:{port.number}/app.bin")
        boots = board.run()
    assert boots.slots == ["ota_0"] and "stage=connect" in boots.console


def test_says_that_the_network_has_no_ipv6(board, serve6, pki):
    """Nobody advertises a prefix: the wait for an address has an end."""
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url=serve6("ota-2").url(host=f"[{HOST6}]"))
    boots = board.run(*[arg.replace("ipv4", "ipv6") for arg in ONLY_V6])
    assert boots.slots == ["ota_0"], boots
    assert "stage=connect" in boots.console and "unreachable" in boots.console
