"""One worker of a crawl on several hosts: a parent that talks to the queue, and its child processes.

It survives that PostgreSQL or the store are away for a while: what there is to say waits, in order. It takes its leave
cleanly (what is on the wire is stored and uploaded, tasks are given back), and everything stands that it does not.
"""

import asyncio
import logging
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from crawler.fetch.options import Options
from crawler.messages import Broken, Done, Progress, Said
from crawler.queue.crews import Crew, Crews, Held, Limits, unfinished
from crawler.queue.leases import BEAT_SECONDS, Leases, News
from crawler.queue.line import QueueAway
from crawler.queue.tasks import Task
from crawler.run import GRACE_SECONDS

TICK_SECONDS = 0.5
"""Between two looks at what the processes and the queue have come to."""
PROGRESS_SECONDS = 5.0
"""Between two reports of how far portals are."""
SPREAD_SECONDS = 0.2
"""Before the next task is taken, at most: so others get some of a short queue, too."""

log = logging.getLogger(__name__)
Saying = Callable[[], Awaitable[None]]
