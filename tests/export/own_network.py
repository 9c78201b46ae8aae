"""A network of a test's own: its ports are free, and nothing outside is reached. Needs root (Linux)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")
_CLONE_NEWNET = 0x4000_0000  # linux/sched.h
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1  # linux/sockios.h, linux/if.h


def in_own_network(function: Callable[[], _Result]) -> _Result:
    """Return what `function` returns in a thread whose network is new; what it starts shares it."""
    with ThreadPoolExecutor(1, initializer=_enter) as thread:
        return thread.submit(function).result()


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # Of this thread alone (unshare(2)).
    if libc.unshare(_CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
