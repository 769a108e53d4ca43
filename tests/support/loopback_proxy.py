"""A port on the host's loopback that leads to one in a network namespace.

The socket is bound here, in the host's namespace, and handed to a process in the other
namespace, which accepts on it and connects to its own loopback: no route, no veth.
"""

import asyncio
import socket
import sys

BUFFER = 64 * 1024


def listen(ports):
    """A listening socket on the first free one of `ports`; None when all are taken."""
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
            return listener
        except OSError:
            listener.close()
    return None


def start(namespace, listener, port):
    """Serves `listener` from `namespace`'s 127.0.0.1:`port` until the lab closes."""
    return namespace.start("proxy", sys.executable, __file__, listener.fileno(), port, pass_fds=[listener.fileno()])


async def copy(reader, writer):
    try:
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(listener, port):
    async def connected(reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    server = await asyncio.start_server(connected, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
