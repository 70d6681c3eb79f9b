"""Domain words as data: one TOML file a subject, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """Return the vocabulary ``<name>.toml``; callers leave it as it is.

    Raises:
        FileNotFoundError: there is no such vocabulary.

    """
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
