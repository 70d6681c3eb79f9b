"""Every page of ours: the routes of the page modules, in the order in which they are tried."""

from crawler.publish.site import (
    about,
    article,
    changes,
    company,
    defaced,
    discovery,
    export_csv,
    feeds,
    flows,
    home,
    place,
    portal,
    portals,
    search,
    section,
)
from crawler.publish.site.frame import Routes

ROUTES: Routes = [
    *home.ROUTES,
    *search.ROUTES,
    *article.ROUTES,
    *section.ROUTES,
    *place.ROUTES,
    *company.ROUTES,
    *flows.ROUTES,
    *portals.ROUTES,
    *portal.ROUTES,
    *changes.ROUTES,
    *defaced.ROUTES,
    *feeds.ROUTES,
    *export_csv.ROUTES,
    *about.ROUTES,
    *discovery.ROUTES,
]
