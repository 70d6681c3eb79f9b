"""HTTP statuses by which a host says *not now*."""

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522, 524})
OVERLOAD_STATUSES = frozenset({429, 503})
