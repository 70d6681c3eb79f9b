"""The bundled sample portals: three invented counties on loopback, in the markup of three real CMS families.

What was written (``*.toml``, read by ``stories``) and what is printed around it (``templates/``, filled by ``trs``,
``table`` and ``vsb``) are kept apart, so that a crawl can be compared with what was written (``stories.expected``).
"""
