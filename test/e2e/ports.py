"""A port for a server that begins later, or never."""

import socket


class HeldPort:
    """with HeldPort() as port: port.number

    A socket is bound to it and does not listen. Who connects is refused, and
    nobody else gets the number, for a server or for the near end of a
    connection; a server that sets SO_REUSEADDR, as all here do, can listen on
    it meanwhile, more than once."""

    def __init__(self, address="127.0.0.1"):
        self.socket = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 0))
        self.number = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()
