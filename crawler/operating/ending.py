"""The end of a run is told: to a command on its standard input, to a web address as a POST."""

import asyncio
import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

COMMAND_SECONDS = 60.0
POST_SECONDS = 30.0
MAX_OUTPUT = 2_000
"""Bytes at the end of what a command printed that are passed on."""


class NotToldError(Exception):
    """A command or an address did not take the report; in words."""


def check_command(command: str) -> None:
    """Raises ValueError where *command* is no line of words as a shell reads it."""
    if not shlex.split(command):
        raise ValueError("no command")


def check_address(url: str) -> None:
    """Raises ValueError unless *url* begins with https://, or http:// and this machine: the report is nobody else's."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give an address that begins with https://")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("only an address of this machine may go without https")


def give_to_command(command: str, report: bytes, *, seconds: float = COMMAND_SECONDS) -> str:
    """Start *command*, give it *report*, wait for its end; the last of what it printed.

    It is started without a shell. After *seconds* it and all that it started are killed. Raises NotToldError.
    """
    words = shlex.split(command)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(report)
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own
                words, stdin=given, stdout=printed, stderr=printed, start_new_session=True
            )
        except OSError as error:
            raise NotToldError(f"{words[0]}: {error.strerror}") from error
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise NotToldError(f"{words[0]}: not done after {seconds:g} s, and killed") from None
        size = printed.seek(0, os.SEEK_END)
        printed.seek(max(0, size - MAX_OUTPUT))
        output = " ".join(printed.read().decode("utf-8", "replace").split())
    if code != 0:
        raise NotToldError(f"{words[0]}: exit code {code}{f', {output}' if output else ''}")
    return output


def post(url: str, report: bytes, *, seconds: float = POST_SECONDS) -> None:
    """POST *report* as ``application/json``; redirects are not followed. Raises NotToldError."""
    asyncio.run(_post(url, report, seconds))


async def _post(url: str, report: bytes, seconds: float) -> None:
    import aiohttp  # noqa: PLC0415 - a third of a second

    host = urlsplit(url).hostname  # the rest of a webhook's address is often its password
    timeout = aiohttp.ClientTimeout(total=seconds)
    headers = {"Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.post(url, data=report, headers=headers, allow_redirects=False) as answer,
        ):
            if not 200 <= answer.status < 300:
                raise NotToldError(f"{host} answered {answer.status}")
    except TimeoutError:
        raise NotToldError(f"{host} did not answer in {seconds:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NotToldError(f"{host}: {type(error).__name__}: {error}".replace(url, "…")) from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
