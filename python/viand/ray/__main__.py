"""Speaks with Ray for the program viand, whose child this is: the socket is standard input."""

import os
import select
import socket
import threading

from .driver import Driver


def _end_where_abandoned(parent: socket.socket, driver: Driver) -> None:
    """While it connects, which Ray may take minutes for, the driver does not hear that viand has ended."""
    closed = select.poll()
    closed.register(parent, select.POLLRDHUP)
    closed.poll()
    if not driver.connected:
        os._exit(1)


def main() -> None:
    # Ray's own processes must not hold the socket open.
    parent = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    driver = Driver(parent)
    threading.Thread(target=_end_where_abandoned, args=(parent, driver), daemon=True).start()
    driver.serve()


if __name__ == "__main__":
    main()
