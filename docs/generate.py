"""Writes the reference pages from the code: ``python docs/generate.py``. A test holds them to it.

``docs/commands.md`` is what ``--help`` says; ``docs/tables.md`` is what the site says of each table and column.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from crawler.cli import cli
from crawler.publish.metadata import tables

HERE = Path(__file__).parent


def commands() -> str:
    """The page of commands: each one's help."""
    parts = ["# Commands\n\nWhat `--help` says, written by `docs/generate.py`.\n"]
    context = click.Context(cli, info_name="xianzhi", max_content_width=100, terminal_width=100)
    for name, command, parent in walk(cli, context, "xianzhi"):
        own = click.Context(
            command, info_name=name.rpartition(" ")[2], parent=parent, max_content_width=100, terminal_width=100
        )
        parts.append(f"## {name}\n\n```text\n{command.get_help(own).rstrip()}\n```\n")
    return "\n".join(parts)


def walk(group: click.Group, context: click.Context, prefix: str) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below *group* with its full name and its parent's context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{prefix} {name}", command, context
        if isinstance(command, click.Group):
            yield from walk(command, click.Context(command, info_name=name, parent=context), f"{prefix} {name}")


def reference() -> str:
    """The page of tables: each one with its columns."""
    parts = ["# Tables of archive.db\n\nWhat the site says of them, written by `docs/generate.py`.\n"]
    for name, table in tables().items():
        if "description" not in table:  # SQLite's own
            continue
        parts.append(f"## {name}\n\n{table['description']}\n\n| column | meaning |\n| --- | --- |")
        parts.extend(f"| `{column}` | {words} |" for column, words in table["columns"].items())
        parts.append("")
    return "\n".join(parts)


PAGES = {"commands.md": commands, "tables.md": reference}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), encoding="utf-8")
