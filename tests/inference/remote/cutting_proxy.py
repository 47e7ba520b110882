"""A proxy between a client and a server on loopback that cuts connections, refuses them, or holds back what is sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CuttingProxy:
    """Passes everything on until it is told otherwise."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.cuts_left = 0
        """Answers that are cut off after their first bytes."""
        self.cut = 0
        """Connections that were."""
        self._refuses = False
        self.holds_back_from: bytes | None = None
        """What in a request stops it: nothing after it gets through."""
        self.holds_after: int | None = None
        """How many bytes that are sent get through."""
        self.held = threading.Event()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in [self._listening, *self._open]:
            end(each)

    def refuse(self) -> None:
        """End all connections, and take on no others."""
        self._refuses = True
        end(self._listening)
        self.cut_all()

    def cut_all(self) -> None:
        """End all connections that are open."""
        for each in self._open:
            end(each)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, self._sent), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, self._answered), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, passed: object) -> None:
        assert callable(passed)
        with suppress(OSError):
            while content := source.recv(65536):
                if not passed(content, sink):
                    break
        end(source)
        end(sink)

    def _sent(self, content: bytes, sink: socket.socket) -> bool:
        through = self._through(content)
        sink.sendall(content[:through])
        if through < len(content):
            self.held.set()
            threading.Event().wait()
        return True

    def _through(self, content: bytes) -> int:
        """How many of the bytes get through."""
        count = len(content)
        if self.holds_back_from is not None and self.holds_back_from in content:
            count = content.index(self.holds_back_from) + len(self.holds_back_from)
        if self.holds_after is not None:
            count = min(count, self.holds_after)
            self.holds_after -= count
        return count

    def _answered(self, content: bytes, sink: socket.socket) -> bool:
        if self._refuses or self.cuts_left > 0:
            self.cuts_left -= 1
            self.cut += 1
            sink.sendall(content[:20])
            return False
        sink.sendall(content)
        return True


def end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxy_to(target: tuple[str, int]) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
