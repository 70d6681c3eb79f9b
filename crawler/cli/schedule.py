"""``xianzhi schedule``: what makes the crawl a nightly one, and keeps a worker and the site running."""

import pwd
import shlex
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from click.core import ParameterSource

from crawler.archive.connection import is_published, open_archive
from crawler.catalogue import Catalogue, load
from crawler.cli.crawl import checked_networks, chosen_ids, crawl
from crawler.cli.options import Place, catalogue_option, db_option, jobs_option, warc_option
from crawler.cli.serve import serve
from crawler.cli.units import Daemon, Nightly, UnfitError, cron_line, daemon, service, timer
from crawler.cli.work import work

SYSTEM_FOLDER = Path("/etc/systemd/system")
USER_FOLDER = Path("~/.config/systemd/user")
GIVEN_BEFORE = ("db", "warc", "catalogue", "jobs")
"""Options that are ours here: their paths must become absolute."""


def _zone(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    try:
        return value and ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter("no such time zone; one looks like Asia/Shanghai") from None


@click.command(
    epilog="""\b
Examples:
  xianzhi schedule                                   a service and a timer, to look at
  xianzhi schedule --write units                     as two files, and says how to enable them
  xianzhi schedule --user --write ~/.config/systemd/user
  xianzhi schedule --at 02:15 --zone Asia/Shanghai --catalogue my.toml
  xianzhi schedule --cron
  xianzhi schedule -- --max-articles 500             what xianzhi crawl is told besides
  xianzhi schedule --worker --write units -- --queue DSN --store s3://news/county --spool /var/spool/xianzhi
  xianzhi schedule --site --db /srv/public/news.db --write units -- --no-sql --contact archive@example.org
Exit codes: 0 all well, 2 wrong usage, an invalid catalogue, or a file that is there already."""
)
@click.argument("crawl_options", metavar="[OPTIONS OF THE COMMAND]...", nargs=-1)
@click.option("--worker", is_flag=True, help="A service of xianzhi work instead, always there.")
@click.option("--site", is_flag=True, help="A service of xianzhi serve instead, always there.")
@click.option("--cron", is_flag=True, help="A line for crontab -e instead.")
@click.option(
    "--user/--system",
    default=False,
    help="For your own service manager, or (default) the machine's, which runs it as the owner of the archive.",
)
@click.option("--at", type=click.DateTime(["%H:%M"]), default="01:30", show_default=True, metavar="HH:MM", help="When.")
@click.option(
    "--zone", callback=_zone, metavar="NAME", show_default="the machine's", help="Time zone of --at: Asia/Shanghai."
)
@click.option("--write", "folder", type=Place(path_type=Path, file_okay=False), help="Write both files into it.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@db_option
@warc_option
@catalogue_option
@jobs_option
@click.pass_context
def schedule(
    context: click.Context,
    crawl_options: tuple[str, ...],
    worker: bool,
    site: bool,
    cron: bool,
    user: bool,
    at: datetime,
    zone: str | None,
    folder: Path | None,
    force: bool,
    db: Path,
    warc: Path | None,
    catalogue: Path | None,
    jobs: int,
) -> None:
    """Print the systemd service and timer of a nightly crawl, or a cron line; or the service of a worker or the site.

    What follows -- is given to xianzhi crawl (work, serve) as it is.
    """
    if worker + site + cron > 1:
        raise click.UsageError("--worker, --site and --cron are three different things")
    if worker or site:
        kind = worker_service(crawl_options, user=user) if worker else site_service(crawl_options, db, user=user)
        name = "xianzhi-worker.service" if worker else "xianzhi-site.service"
        try:
            files = {name: daemon(kind)}
        except UnfitError as error:
            raise click.UsageError(str(error)) from error
        give(files, folder, force=force, user=user, runs_as=kind.user)
        return
    if cron and (folder or user):
        raise click.UsageError("--cron goes with neither --write nor --user: a crontab is a user's own, and one file")
    params = check_crawl_options(crawl_options, load(catalogue))
    db = db.parent.resolve() / db.name  # the lock's name goes by the archive's: a link to it stays one
    warc = warc and warc.resolve()
    is_jobs_given = context.get_parameter_source("jobs") is ParameterSource.COMMANDLINE
    night = Nightly(
        command=(
            str(program()),
            "crawl",
            *("--db", str(db)),
            *(("--warc", str(warc)) if warc else ()),
            *(("--catalogue", str(catalogue.resolve())) if catalogue else ()),
            *(("--jobs", str(jobs)) if is_jobs_given else ()),
            *crawl_options,
        ),
        folder=db.parent,
        writable=written_to(db, warc, params),
        user=None if user else owner(db),
        at=at.time(),
        zone=zone,
    )
    try:
        if cron:
            click.echo(cron_line(night), nl=False)
            click.echo("Add it with crontab -e, as the owner of the archive.", err=True)
            return
        files = {"xianzhi.service": service(night), "xianzhi.timer": timer(night)}
    except UnfitError as error:
        raise click.UsageError(str(error)) from error
    give(files, folder, force=force, user=user, runs_as=night.user)


def worker_service(words: tuple[str, ...], *, user: bool) -> Daemon:
    """The service of a worker that is told *words*."""
    params = work.make_context("xianzhi work", list(words)).params
    checked_networks(params["networks"])
    spool: Path = params["spool"]
    if not spool.is_absolute() or not spool.is_dir():
        raise click.UsageError(f"{spool}: give --spool as the absolute path of a folder that is there")
    return Daemon(
        command=(str(program()), "work", *words),
        folder=spool,
        writable=(spool, *_named_folders(params)),
        user=None if user else owner(spool),
        description="worker of a crawl on several hosts",
        is_watched=True,
    )


def site_service(words: tuple[str, ...], db: Path, *, user: bool) -> Daemon:
    """The service of the site over *db*, told *words*."""
    context = serve.make_context("xianzhi serve", list(words))
    if context.params["file"] is not None or context.get_parameter_source("db") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--db goes before the --, also for a published copy")
    db = db.parent.resolve() / db.name
    if not db.is_file():
        raise click.UsageError(f"{db}: there is no such file")
    with closing(open_archive(db, readonly=True)) as conn:
        is_copy = is_published(conn)
    return Daemon(
        command=(str(program()), "serve", "--db", str(db), *words),
        folder=db.parent,
        writable=() if is_copy else (db.parent,),  # readers of a live archive share SQLite's log with who writes
        user=None if user else owner(db),
        description="the site",
        is_anybody=is_copy,
    )


def give(files: dict[str, str], folder: Path | None, *, force: bool, user: bool, runs_as: str | None) -> None:
    """Write the files, or print them; and say how to enable them."""
    if folder:
        write(files, folder, force=force)
    else:
        click.echo("\n".join(f"# {name}\n{text}" for name, text in files.items()), nl=False)
    click.echo(how_to_enable(folder, list(files), user=user, runs_as=runs_as), err=True)


def program() -> Path:
    """The command ``xianzhi`` of this environment."""
    path = Path(sysconfig.get_path("scripts"), "xianzhi")
    if not path.is_file():
        raise click.UsageError(f"{path}: there is no such command; install Xianzhi into this environment")
    return path


def check_crawl_options(words: tuple[str, ...], entries: Catalogue) -> dict[str, Any]:
    """Refuse now what ``xianzhi crawl`` would refuse at night; what it would be told."""
    context = crawl.make_context("xianzhi crawl", list(words))
    for name in GIVEN_BEFORE:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} goes before the --")
    chosen_ids(entries, context.params["portal"])
    checked_networks(context.params["networks"])
    return context.params


def written_to(db: Path, warc: Path | None, params: Mapping[str, Any]) -> tuple[Path, ...]:
    """The folders that a crawl writes to, which a service manager wants to see before it starts one."""
    folders = [db.parent, db.resolve().parent, *([warc] if warc else []), *_named_folders(params)]
    for folder in folders:
        if not folder.is_dir():
            raise click.UsageError(f"{folder}: there is no such folder; make it")
    return tuple(dict.fromkeys(folder for folder in folders if folder == db.parent or db.parent not in folder.parents))


def _named_folders(params: Mapping[str, Any]) -> list[Path]:
    """Folders that a command writes to by its options: of figures, and of a store that is no service."""
    metrics, store = params.get("metrics"), params.get("store")
    named = [*([metrics] if metrics else []), *([Path(store)] if store and "://" not in store else [])]
    for path in named:
        if not path.is_absolute():
            raise click.UsageError(f"{path}: give an absolute path")
    return [path.parent if path == metrics else path for path in named]


def owner(db: Path) -> str:
    """The user who can write the archive: its owner, or its folder's."""
    number = (db if db.exists() else db.parent).stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def write(files: dict[str, str], folder: Path, *, force: bool) -> None:
    """Write the files into *folder*; none where one is there already."""
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise click.UsageError(f"{folder}: has {' and '.join(there)} already; --force writes over")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{error.filename or folder}: {error.strerror}") from error


def how_to_enable(folder: Path | None, names: Sequence[str], *, user: bool, runs_as: str | None) -> str:
    """The commands that put the units to work."""
    place = USER_FOLDER.expanduser() if user else SYSTEM_FOLDER
    manager = "systemctl --user" if user else "sudo systemctl"
    journal = "journalctl --user" if user else "sudo journalctl"
    copy = "" if user else "sudo "
    is_placed = folder is not None and folder.resolve() == place
    source = shlex.quote(str(folder)) if folder else "units"
    first, last = names[0], names[-1]
    is_nightly = last.endswith(".timer")
    return "\n".join(
        [
            *(["  (--write units makes files of them)"] if not folder else []),
            *([] if is_placed else [f"  {copy}cp {source}/{'xianzhi.*' if is_nightly else first} {place}/"]),
            f"  {manager} daemon-reload",
            f"  {manager} enable --now {last}",
            *([f"  {manager} start --no-block {first}    # a first run now"] if is_nightly else []),
            f"  {journal} -u {first} -f           # what it says",
            *(["  loginctl enable-linger                    # runs while you are logged out, too"] if user else []),
            *(
                ["It would run as root, who owns the folder: better give that to another user."]
                if runs_as == "root"
                else []
            ),
        ]
    )
