"""The port keeps the contracts that every other port keeps."""

import socket
import threading

from conftest import TABLE


def echo(listener):
    while True:
        try:
            conn, _ = listener.accept()
        except OSError:
            return
        with conn:
            while data := conn.recv(4096):
                if b"\xff" in data:
                    break
                conn.sendall(data)


def test_port_keeps_the_contracts(board, tmp_path):
    """test/unit/port/conform, with the machine's own devices."""
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        echoing = threading.Thread(target=echo, args=(listener,), daemon=True)
        echoing.start()
        board.make(ota_0="conform", table=TABLE
                   + "efuse,   data, efuse, 0x216000, 0x2000\n"
                   + "scratch, data, 0x41,  0x218000, 0x2000\n")
        ports = tmp_path / "ports"
        ports.write_text(f"{listener.getsockname()[1]} "
                         f"{closed.getsockname()[1]}\n")
        board.write_partition("settings", ports)
        boots = board.run()
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        echoing.join()
    assert "CONFORM" in boots.console, boots
    assert boots.figure("failed") == 0, boots
    assert boots.figure("passed") >= 48, boots
