"""A proxy between a worker and its database, which can stop forwarding data."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Proxy:
    """Forwards connections to a port of this machine.

    While it drops, connections stay open, and what is sent on them is lost: no error tells a worker that its
    database cannot be reached any more. A connection that has lost something forwards nothing more, as TCP
    delivers no bytes after a gap. While it refuses, it closes new connections.
    """

    def __init__(self, port: int) -> None:
        self._to, self.drops, self.refuses, self.connections = port, False, False, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._connect(self._server.accept()[0])

    def _connect(self, client: socket.socket) -> None:
        self._sockets.append(client)
        self.connections += 1
        if self.refuses:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._to))
        except OSError:  # the database is not there
            client.close()
            return
        self._sockets.append(server)
        for pair in ((client, server), (server, client)):
            threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        has_gap = False
        with suppress(OSError):
            while data := source.recv(1 << 16):
                has_gap = has_gap or self.drops
                if not has_gap:
                    target.sendall(data)
            if not (has_gap or self.drops):
                target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End all connections."""
        for one in (self._server, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
