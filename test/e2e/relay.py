"""Passes bytes on to a port and keeps an account of them."""

import contextlib
import socket
import threading


class Relay:
    """with Relay(port) as r: r.port, r.total, r.records()"""

    def __init__(self, port):
        self.target, self.total, self.answers = port, 0, []
        self.lock, self.refused = threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.port}/{path}"

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError as wrong:
                    self.refused.append(wrong)
                    near.close()
                    continue
                self.answers.append(bytearray())
                for pair in ((near, far, None), (far, near, self.answers[-1])):
                    threading.Thread(target=self.pump, args=pair,
                                     daemon=True).start()

    def pump(self, source, sink, answer):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self.lock:
                    self.total += len(data)
                    if answer is not None:
                        answer += data
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def records(self):
        """Lengths of the TLS records that came back whole."""
        lengths = []
        for answer in self.answers:
            at = 0
            while at + 5 <= len(answer):
                size = int.from_bytes(answer[at + 3:at + 5], "big")
                at += 5 + size
                if at <= len(answer):
                    lengths.append(size)
        return lengths

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        # The thread ends before the listener is closed: a thread on its way
        # into accept() would take the connections of the next listener, which
        # gets the same descriptor.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
