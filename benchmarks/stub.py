"""A server that costs next to nothing: it answers every request of a kept connection alike."""

from __future__ import annotations

import asyncio
import sys

TOKEN = b'{"access_token":"t","expires_in":3600,"token_type":"Bearer"}'
SIGNED_IN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(TOKEN),
    TOKEN,
)
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


class Stub(asyncio.Protocol):
    """Reads requests by their Content-Length; answers a sign-in with a token and anything else with 204."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection's transport."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request in the buffer."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.transport.write(SIGNED_IN if b"/ws/oauth/token" in head[:60] else DONE)


async def serve() -> None:
    """Serve on a free port of the loopback, and print it."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        sys.exit(0)
