"""A line on the terminal that says what is being done, and how many rows of it are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crawler.cli.show import people


@contextmanager
def counting() -> Iterator[Callable[[str, int], None]]:
    """Takes what and how many; without a terminal nothing is shown."""
    console = people()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done: bar.update(task, description=what, completed=done)
