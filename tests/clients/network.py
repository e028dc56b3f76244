"""A network between a client and a server that can be lost: a relay of bytes on loopback.

Lost means what a pulled cable means: nothing passes any more in either direction, and neither side
is told. A connection that was cut stays dead; one that is made after the loss passes again.
"""

import asyncio

CHUNK_BYTES = 65536


class Network:
    def __init__(self, host, port):
        self.far = (host, port)
        self.lost = False
        self.links = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for link in self.links:
            link.end()

    def lose(self):
        """From now on nothing passes; nobody hears of it."""
        self.lost = True
        for link in self.links:
            link.cut()

    def restore(self):
        self.lost = False

    async def _link(self, reader, writer):
        link = Link(reader, writer)
        self.links.append(link)
        # Who dials while the network is lost is not answered, then or later.
        if not self.lost:
            await link.carry(*self.far)


class Link:
    """One connection: two pumps, which a cut stops for good with both ends left open."""

    def __init__(self, reader, writer):
        self.near = (reader, writer)
        self.writers = [writer]
        self.pumps = []

    async def carry(self, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        self.writers.append(writer)
        self.pumps = [
            asyncio.ensure_future(pump(self.near[0], writer)),
            asyncio.ensure_future(pump(reader, self.near[1])),
        ]

    def cut(self):
        for one in self.pumps:
            one.cancel()

    def end(self):
        self.cut()
        for writer in self.writers:
            writer.transport.abort()


async def pump(reader, writer):
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.close()
    except ConnectionError:
        writer.close()
