"""Our pages: one module a page or a kind of page, each with its ``ROUTES``, all in one frame (`frame`)."""
