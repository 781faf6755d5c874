"""Messages over a stream socket (docs/formats/ray.md): a header of JSON, and bytes behind it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any

FORMAT = "viand.ray/1"
_LENGTHS = struct.Struct("<IIQ")


class Frames:
    """Sends from any thread, receives in one."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._sending = threading.Lock()

    def send(self, header: dict[str, Any], payload: Any = b"") -> None:
        """Raises OSError where the other side is gone."""
        text = json.dumps(header).encode()
        view = memoryview(payload).cast("B")
        with self._sending:
            self._socket.sendall(_LENGTHS.pack(len(text), 0, len(view)) + text)
            if len(view) > 0:
                self._socket.sendall(view)

    def receive(self) -> tuple[dict[str, Any], bytearray] | None:
        """The next message; None where the other side has closed."""
        lengths = self._read(_LENGTHS.size)
        if lengths is None:
            return None
        header_bytes, _, payload_bytes = _LENGTHS.unpack(lengths)
        header, payload = self._read(header_bytes), self._read(payload_bytes)
        return None if header is None or payload is None else (json.loads(header), payload)

    def close(self) -> None:
        """For both sides, and whoever receives; from any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side has

    def _read(self, size: int) -> bytearray | None:
        data = bytearray(size)
        view = memoryview(data)
        while len(view) > 0:
            try:
                count = self._socket.recv_into(view)
            except ConnectionResetError:
                return None
            if count == 0:
                return None
            view = view[count:]
        return data
