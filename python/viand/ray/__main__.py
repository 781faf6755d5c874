"""Speaks with Ray for the program viand, whose child this is: the socket is standard input."""

import os
import socket

from .driver import Driver


def main() -> None:
    # Ray's own processes must not hold the socket open.
    parent = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    Driver(parent).serve()


if __name__ == "__main__":
    main()
