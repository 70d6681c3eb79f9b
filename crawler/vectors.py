"""What ISA-L's vector code leaves behind in the processor, and how it is put right.

On an AVX-512 Xeon one call of isal 1.9 (inflate, deflate or a checksum) makes everything that the process computes
afterwards slower by a fifth: reading a page took 4.7 ms instead of 3.8, until something else used AVX and cleaned up
after itself (VZEROUPPER, Intel's optimization manual, "mixing AVX and SSE code"). OpenSSL's SHA-512 does, in half a
microsecond; zlib, SHA-256, SHA-1, MD5 and BLAKE2 do not.
"""

import hashlib

_BLOCKS = bytes(256)


def settle() -> None:
    """Let what follows run at full speed again; to be called after a call of ISA-L."""
    hashlib.sha512(_BLOCKS, usedforsecurity=False)
