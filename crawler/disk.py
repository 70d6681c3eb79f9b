"""What a file system does not promise by itself."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names just given or removed in *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
