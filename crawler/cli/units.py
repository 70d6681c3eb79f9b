"""What starts a crawl every night, a worker or the site, as text: systemd units, or a line for cron."""

import re
import shlex
from dataclasses import dataclass
from datetime import time
from pathlib import Path

STOP_SECONDS = 180
"""What a stop may take: workers finish what is on the wire, then the archive's books are closed."""
LEAVE_SECONDS = 240
"""What the stop of a worker of several hosts may take: processes end, the queue is told, the spool is uploaded."""
SITE_MEMORY = "1G"
SILENT_SECONDS = 60
"""A worker whose parent process says nothing for so long hangs, and is started again."""
ENVIRONMENT = "/etc/xianzhi/environment"
"""Where passwords are kept: PGPASSWORD, AWS_SECRET_ACCESS_KEY, XIANZHI_ON_END_URL. It need not be there."""
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - compared with, not written to

_PLAIN = re.compile(r"[\w@+=:,./-]+", re.ASCII)
_NO_LINE_HOLDS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class UnfitError(ValueError):
    """A path or an option that the format has no way to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a service manager starts; all paths are absolute."""

    command: tuple[str, ...]
    """The program's path and its arguments."""
    folder: Path
    """Where it runs: the archive's folder."""
    writable: tuple[Path, ...]
    """The folders that it writes to."""
    user: str | None
    """Whom the system's service manager runs it as; None: it is a user's own service manager that runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon(Service):
    """Something that is always there, and started again where it ended."""

    description: str
    is_watched: bool = False
    """Whether it tells the service manager that it lives (sd_notify(3))."""
    is_anybody: bool = False
    """Whether it needs nothing but what everybody may read: the system's manager makes up a user for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly(Service):
    """A crawl that is started every night."""

    at: time
    zone: str | None = None
    """Time zone of *at*; None: the machine's."""


def service(night: Nightly) -> str:
    """The text of ``xianzhi.service`` (systemd.service(5)). Raises UnfitError."""
    return _sections(
        Unit=_unit("nightly crawl of local news", night),
        Service=[
            "Type=oneshot",
            *_start(night),
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


def daemon(service: Daemon) -> str:
    """The text of a service that is always there. Raises UnfitError."""
    return _sections(
        Unit=_unit(service.description, service),
        Service=[
            "Type=notify" if service.is_watched else "Type=exec",
            *_start(service),
            *([f"WatchdogSec={SILENT_SECONDS}"] if service.is_watched else []),
            "Restart=always",
            "RestartSec=10",
            "KillMode=mixed",
            f"TimeoutStopSec={LEAVE_SECONDS}",
            "SuccessExitStatus=130",
            "NoNewPrivileges=yes",
            *(_sandbox(service) if service.user else []),
            *(["PrivateDevices=yes", f"MemoryMax={SITE_MEMORY}"] if service.user and service.is_anybody else []),
        ],
        Install=[f"WantedBy={'multi-user' if service.user else 'default'}.target"],
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


def _unit(description: str, service: Service) -> list[str]:
    online = ["Wants=network-online.target", "After=network-online.target"]
    return [f"Description=Xianzhi: {description}", *(online if service.user else [])]


def _start(service: Service) -> list[str]:
    program, *arguments = service.command
    for text in (*service.command, str(service.folder), *map(str, service.writable)):
        _refuse(_NO_LINE_HOLDS, text)
    _refuse(re.compile(r"[\"'\\]"), program)  # systemd takes no such name for a program, however it is written
    _refuse(re.compile(r"[\\ ]$"), str(service.folder))  # this key has no quotes
    is_anybody = isinstance(service, Daemon) and service.is_anybody
    who = "DynamicUser=yes" if is_anybody else f"User={service.user}"
    return [
        f"ExecStart={' '.join([_word(program), *map(_argument, arguments)])}",
        f"WorkingDirectory={service.folder.as_posix().replace('%', '%%')}",
        *([who, f"EnvironmentFile=-{ENVIRONMENT}"] if service.user else []),
    ]


def _sandbox(service: Service) -> list[str]:
    """Nothing but what is named can be written. Namespaces and executable memory stay: a browser needs them."""
    folders = [service.folder, *service.writable, *map(Path, service.command)]
    is_hidden = any(folder.is_relative_to(temporary) for folder in folders for temporary in TEMPORARY)
    writable = " ".join(_word(str(folder)) for folder in service.writable)
    return [
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        *([f"ReadWritePaths={writable}"] if writable else []),
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
