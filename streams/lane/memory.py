"""What a recovery has read and dropped lies scattered between the rows: a tenth of a worker's memory."""

import ctypes
import gc


def give_back() -> None:
    """Return free memory to the system, where its allocator (glibc) can be told to."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
