"""Telling systemd that this process is ready and lives (sd_notify(3)); without systemd nothing happens."""

import os
import socket
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"


def notify(state: str) -> None:
    """Send *state* to the service manager that started this process, where it wants to know."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.setblocking(False)  # a manager that does not read is no reason to stand still
        line.sendto(state.encode(), name)
