"""The browser that draws pages for portals with ``render = true``: where it is, and how it is started and set up.

It is started without any way to the network: what a page asks for comes through the wire tap (`crawler.fetch.drawing`).
Nothing is imported here that only such portals need.
"""

import os
import shutil
from importlib.util import find_spec
from typing import Any

from scrapy.settings import BaseSettings

from crawler.fetch.tap import DOWNLOAD_HANDLERS

PATH_VARIABLE = "XIANZHI_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
HANDLER = "crawler.fetch.render.RenderDownloadHandler"
PROVIDER = "crawler.fetch.render.SharedBrowser"
VIEWPORT = {"width": 1280, "height": 1024}

OFFLINE = (
    "--host-resolver-rules=MAP * ~NOTFOUND",  # numeric addresses too
    "--no-proxy-server",  # nor by one that the environment names
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",  # WebRTC resolves nothing: it sent UDP to a page's address
)
"""Tried with Chromium 156: with these, popups, frames, workers, WebSockets, preconnects and STUN reach nobody.

Answering a page's requests is not enough: popups, WebSockets and WebRTC never come by there.
"""


class BrowserMissing(Exception):  # noqa: N818 - says what happened
    """Pages cannot be drawn on this machine; the message says what to install."""


def find_chromium() -> str:
    """Path of the system's Chromium. Raises BrowserMissing."""
    named = os.environ.get(PATH_VARIABLE)
    for name in (named,) if named else NAMES:
        path = shutil.which(name)
        if path:
            return path
    if named:
        raise BrowserMissing(f"its pages are drawn by scripts, and {PATH_VARIABLE} names no program: {named}")
    raise BrowserMissing(
        f"its pages are drawn by scripts and need Chromium: apt-get install chromium, or name one in {PATH_VARIABLE}"
    )


def rendering_settings() -> dict[str, Any]:
    """Scrapy's settings for a portal whose pages are drawn. Raises BrowserMissing."""
    if find_spec("scrapy_playwright") is None:
        raise BrowserMissing(
            "its pages are drawn by scripts and need the extra render: pip install --editable '.[render]'"
        )
    return {
        "DOWNLOAD_HANDLERS": {**DOWNLOAD_HANDLERS, **dict.fromkeys(("http", "https"), HANDLER)},
        "PLAYWRIGHT_BROWSER_PROVIDER": PROVIDER,
        "PLAYWRIGHT_LAUNCH_OPTIONS": launch_options(find_chromium()),
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 1,
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": 1_000,  # milliseconds for what comes after a page was taken
    }


def launch_options(path: str) -> dict[str, Any]:
    """How the browser at *path* is started (options of Playwright's ``launch``)."""
    return {
        "executable_path": path,
        "headless": True,
        "chromium_sandbox": os.geteuid() != 0,  # it does not start for root
        "args": list(OFFLINE),
        "handle_sigint": False,  # a worker that is told to stop finishes its pages first
        "handle_sigterm": False,
        "handle_sighup": False,
    }


def context_options(settings: BaseSettings) -> dict[str, Any]:
    """How a portal's browser context is set up: nothing is remembered, taken down, or permitted."""
    return {
        "user_agent": settings["USER_AGENT"],
        "viewport": VIEWPORT,
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "service_workers": "block",
        "accept_downloads": False,
    }
