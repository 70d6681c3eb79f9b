"""The catalogue: which portals there are, where their news lists stand, and what to know about each."""

from crawler.catalogue.portal import FAMILIES, Catalogue, Expect, Portal
from crawler.catalogue.reading import CatalogueError, Problem, load

__all__ = ["FAMILIES", "Catalogue", "CatalogueError", "Expect", "Portal", "Problem", "load"]
