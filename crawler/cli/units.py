"""What starts a crawl every night, as text: a systemd service with its timer, or a line for cron."""

import re
import shlex
from dataclasses import dataclass
from datetime import time
from pathlib import Path

STOP_SECONDS = 180
"""What a stop may take: workers finish what is on the wire, then the archive's books are closed."""
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - compared with, not written to

_PLAIN = re.compile(r"[\w@+=:,./-]+", re.ASCII)
_NO_LINE_HOLDS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class UnfitError(ValueError):
    """A path or an option that the format has no way to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """A crawl that is started every night; all paths are absolute."""

    command: tuple[str, ...]
    """The program's path and its arguments."""
    folder: Path
    """Where it runs: the archive's folder."""
    writable: tuple[Path, ...]
    """The folders that it writes to."""
    user: str | None
    """Whom the system's service manager runs it as; None: it is a user's own service manager that runs it."""
    at: time
    zone: str | None = None
    """Time zone of *at*; None: the machine's."""


def service(night: Nightly) -> str:
    """The text of ``xianzhi.service`` (systemd.service(5)). Raises UnfitError."""
    program, *arguments = night.command
    for text in (*night.command, str(night.folder), *map(str, night.writable)):
        _refuse(_NO_LINE_HOLDS, text)
    _refuse(re.compile(r"[\"'\\]"), program)  # systemd takes no such name for a program, however it is written
    _refuse(re.compile(r"[\\ ]$"), str(night.folder))  # this key has no quotes
    return _sections(
        Unit=[
            "Description=Xianzhi: nightly crawl of local news",
            *(["Wants=network-online.target", "After=network-online.target"] if night.user else []),
        ],
        Service=[
            "Type=oneshot",
            f"ExecStart={' '.join([_word(program), *map(_argument, arguments)])}",
            f"WorkingDirectory={night.folder.as_posix().replace('%', '%%')}",
            *([f"User={night.user}"] if night.user else []),
            "Nice=10",
            "# A night takes as long as it takes. A stop is told to the parent alone, which ends its workers;",
            "# it is no failure. Any other exit code is one: 1 a portal failed, 3 another run works on the archive.",
            "TimeoutStartSec=infinity",
            "KillMode=mixed",
            f"TimeoutStopSec={STOP_SECONDS}",
            "SuccessExitStatus=130",
            "NoNewPrivileges=yes",
            *(_sandbox(night) if night.user else []),
        ],
    )


def timer(night: Nightly) -> str:
    """The text of ``xianzhi.timer`` (systemd.timer(5)): a night that the machine slept through is made up for."""
    return _sections(
        Unit=["Description=Xianzhi: every night"],
        Timer=[
            f"OnCalendar=*-*-* {night.at:%H:%M}:00{f' {night.zone}' if night.zone else ''}",
            "RandomizedDelaySec=5min",
            "Persistent=yes",
        ],
        Install=["WantedBy=timers.target"],
    )


def cron_line(night: Nightly) -> str:
    """A line for ``crontab -e`` (crontab(5)). Raises UnfitError.

    What is said goes to ``xianzhi.log`` beside the archive; what cron sends by mail is a run that did not end well.
    """
    if night.zone:
        raise UnfitError("cron knows the machine's own time only; leave out --zone, or use the systemd timer")
    for text in (*night.command, str(night.folder)):
        _refuse(_NO_LINE_HOLDS, text)
        _refuse(re.compile(r"\\"), text)  # crons differ in what they make of one
    log = shlex.quote(str(night.folder / "xianzhi.log"))
    words = f'nice {shlex.join(night.command)} >> {log} 2>&1 || echo "xianzhi crawl: exit code $?, see" {log}'
    return f"{night.at.minute} {night.at.hour} * * * " + words.replace("%", r"\%") + "\n"  # a bare % ends the command


def _sandbox(night: Nightly) -> list[str]:
    """Nothing but the archive can be written. Namespaces and executable memory stay: a browser needs them."""
    folders = [night.folder, *night.writable, *map(Path, night.command)]
    is_hidden = any(folder.is_relative_to(temporary) for folder in folders for temporary in TEMPORARY)
    return [
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        f"ReadWritePaths={' '.join(_word(str(folder)) for folder in night.writable)}",
        *([] if is_hidden else ["PrivateTmp=yes"]),
        "CapabilityBoundingSet=",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    ]


def _sections(**sections: list[str]) -> str:
    return "\n".join("\n".join([f"[{name}]", *lines]) + "\n" for name, lines in sections.items())


def _word(text: str) -> str:
    """*text* as one word (systemd.syntax(7), Quoting; systemd.unit(5), Specifiers)."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%") + '"'


def _argument(text: str) -> str:
    """*text* as an argument, in which systemd would put variables (systemd.service(5), Command lines)."""
    return _word(text.replace("$", "$$"))


def _refuse(unfit: re.Pattern[str], text: str) -> None:
    if unfit.search(text):
        raise UnfitError(f"{text!r}: a name with such a character cannot be scheduled; give it another one")
