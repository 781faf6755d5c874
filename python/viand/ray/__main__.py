"""Speaks with Ray for the program viand, whose child this is: the socket is standard input."""

import os
import select
import socket
import sys
import threading

from .driver import Driver

# What Ray may take to let go of a cluster, or to stop.
_GRACE_SECONDS = 15


def end_with(parent: socket.socket, driver: Driver) -> None:
    """Ends this process, and a Ray that it started, where the other side has closed and the conversation does not end."""
    gone = select.poll()
    gone.register(parent, select.POLLRDHUP)
    gone.poll()
    if driver.connected:
        threading.Event().wait(_GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    # Ray's own processes must not hold the socket open.
    parent = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    driver = Driver(parent)
    threading.Thread(target=end_with, args=(parent, driver), name="viand.ray end", daemon=True).start()
    driver.serve()
    driver.leave()
    driver.wait()
    if ray := sys.modules.get("ray"):
        ray.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
