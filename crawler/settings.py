"""Scrapy's settings: the data flow first, then manners, then what is off.

spider ─► request ─► [schemes, robots, back-off, recorder] ─► wire ─► WARC
                               │
Capture ─► decode ─► extract ─► clean ─► spam ─► sections ─► places ─► store ─► archive.db
"""

from crawler.fetch.tap import DOWNLOAD_HANDLERS as TAPPED_HANDLERS
from crawler.version import USER_AGENT as OUR_USER_AGENT

BOT_NAME = "xianzhi"
SPIDER_MODULES = ["spiders"]
NEWSPIDER_MODULE = "spiders"

# The flow. One stage a file in pipelines/, in this order.
ITEM_PIPELINES = {
    "pipelines.decode.DecodePipeline": 100,
    "pipelines.extract.ExtractPipeline": 200,
    "pipelines.clean.CleanPipeline": 300,
    "pipelines.spam.SpamPipeline": 400,
    "pipelines.sections.SectionsPipeline": 500,
    "pipelines.places.PlacesPipeline": 600,
    "pipelines.store.StorePipeline": 700,
}
DOWNLOADER_MIDDLEWARES = {
    "crawler.fetch.schemes.SchemesMiddleware": 50,
    "crawler.fetch.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "crawler.fetch.backoff.BackoffMiddleware": 550,
    "crawler.fetch.redirects.PortalRedirectMiddleware": 600,
    "crawler.fetch.recorder.RecorderMiddleware": 900,  # nearest to the wire: sees every response, as it came
}
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}  # only the above; nothing that decodes, caches, or stays silent
SPIDER_MIDDLEWARES: dict[str, int] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}  # every status reaches the spider; staying on the portal is the spider's
SCHEDULER = "crawler.fetch.scheduler.FrontierScheduler"
DOWNLOADER = "crawler.fetch.downloader.PoliteDownloader"
DOWNLOAD_HANDLERS = TAPPED_HANDLERS
TWISTED_DNS_RESOLVER = "scrapy.resolver.CachingHostnameResolver"  # IPv6 too; the tap's reactor guards every connection
EXTENSIONS_BASE: dict[str, int] = {}
EXTENSIONS = {
    "crawler.fetch.uncaught.UncaughtExtension": 0,
    "crawler.fetch.again.LookAgainExtension": 1,
    "crawler.fetch.media.MediaExtension": 2,
}

# Manners.
USER_AGENT = OUR_USER_AGENT
ROBOTSTXT_USER_AGENT = "Xianzhi"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
CONCURRENT_REQUESTS = 2  # a crawler is one portal: one request on the wire, one waiting behind it
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 1.0
DOWNLOAD_DELAY_JITTER = 0.5
BACKOFF_FLOOR = 1.0
ALLOW_NETWORKS: list[str] = []  # private networks that may be asked all the same, as CIDR

# Sizes and times.
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_TIMEOUT = 30
DOWNLOAD_FAIL_ON_DATALOSS = False  # a response cut short is archived with its flag
REDIRECT_MAX_TIMES = 5
MEDIA_MAXSIZE = {"attachment": 32 * 1024 * 1024, "image": 8 * 1024 * 1024}
MEDIA_TIMEOUT = 120
MEDIA_PER_RUN = 10_000  # files and pictures of a portal; what an archive lacks from before comes in parts
LISTS_ALIKE = 5_000  # addresses of one pattern in one run, against traps: a day has room for 86,400 requests
ARTICLES_ALIKE = 50_000
CONCURRENT_ITEMS = 4  # the default of 100 starts 100 tasks a response
REACTOR_THREADPOOL_MAXSIZE = 20

# Off: what runs code from a port, remembers, or reads something else than the web.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False
COOKIES_ENABLED = False
HTTPPROXY_ENABLED = False
HTTPCACHE_ENABLED = False
REFERER_ENABLED = False
METAREFRESH_ENABLED = False
COMPRESSION_ENABLED = False
STATS_DUMP = False
WARN_ON_GENERATOR_RETURN_VALUE = False  # reads the source of every callback
LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []

TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
