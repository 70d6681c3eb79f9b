"""The yardstick: bare Scrapy with its defaults, one process, that only downloads the pages it is told.

python bench/bare.py BASE_URL…   with the paths on standard input, one a line
"""

import sys

import scrapy
from scrapy.crawler import AsyncCrawlerProcess


class Bare(scrapy.Spider):
    name = "bare"
    bytes = 0

    async def start(self):
        # In turn over the hosts, as a fair list would be.
        for path in PATHS:
            yield scrapy.Request(path)

    def parse(self, response):
        Bare.bytes += len(response.body)


if __name__ == "__main__":
    PATHS = sys.stdin.read().split()
    process = AsyncCrawlerProcess({"LOG_LEVEL": "WARNING"})
    process.crawl(Bare)
    process.start()
    print(Bare.bytes)
