"""Stable hashes over whole columns: texts to 64 bits, and Kafka's own murmur2 from key to partition."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


def hashed(texts: Sequence[str]) -> NDArray[np.uint64]:
    """64-bit hashes of texts, never 0.  The same in every process, unlike Python's own; not for secrets."""
    if not texts:
        return np.zeros(0, np.uint64)
    encoded = [text.encode() for text in texts]
    width = -(-max(map(len, encoded)) // 8) * 8 or 8
    words = np.array(encoded, f"S{width}").view("<u8").reshape(len(texts), -1)
    odd = (np.arange(1, words.shape[1] + 1, dtype=np.uint64) * _ODD) | np.uint64(1)
    return _finish(((words ^ (words >> np.uint64(29))) * odd).sum(axis=1, dtype=np.uint64)) | np.uint64(1)


def identities(sources: Sequence[str], ids: Sequence[str]) -> NDArray[np.uint32]:
    """32-bit hashes of events' (source, id)."""
    salts = {source: crc32(source.encode()) for source in set(sources)}
    salt = np.fromiter(map(salts.__getitem__, sources), np.uint64, len(sources))
    own = np.fromiter(map(crc32, map(str.encode, ids)), np.uint64, len(ids))
    return _finish((salt << np.uint64(32)) | own).astype(np.uint32)


def _finish(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """murmur3's finaliser: every input bit moves every output bit."""
    h = (h ^ (h >> np.uint64(33))) * _MIX_1
    h = (h ^ (h >> np.uint64(33))) * _MIX_2
    return h ^ (h >> np.uint64(33))


def partitions_of(keys: Sequence[bytes], partitions: int) -> NDArray[np.int64]:
    """Where Kafka's default Java partitioner puts each key: positive murmur2 modulo the partition count."""
    if not keys:
        return np.zeros(0, np.int64)
    lengths = np.array([len(key) for key in keys], np.int64)
    width = int(-(-lengths.max() // 4) * 4) or 4
    data = np.frombuffer(b"".join(key.ljust(width, b"\0") for key in keys), "<u4").reshape(len(keys), -1)
    m, h = np.uint32(0x5BD1E995), np.uint32(0x9747B28C) ^ lengths.astype(np.uint32)
    for i in range(width // 4):
        k = data[:, i] * m
        k = (k ^ (k >> np.uint32(24))) * m
        h = np.where(lengths >= 4 * i + 4, (h * m) ^ k, h)
    tail = data[np.arange(len(keys)), np.minimum(lengths // 4, width // 4 - 1)]
    h = np.where(lengths % 4 > 0, (h ^ tail) * m, h)
    h = (h ^ (h >> np.uint32(13))) * m
    h = h ^ (h >> np.uint32(15))
    return (h & np.uint32(0x7FFFFFFF)).astype(np.int64) % partitions
