"""Partitions are Kafka's own; hashes depend on nothing but the text."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from streams.scoring.hashes import hashed, partitions_of


@given(st.lists(st.binary(min_size=1, max_size=256), min_size=1, max_size=40), st.integers(1, 64))
def test_every_key_is_put_where_kafkas_own_partitioner_puts_it(keys: list[bytes], partitions: int) -> None:
    assert partitions_of(keys, partitions).tolist() == [(murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]


def test_a_hash_does_not_depend_on_its_neighbours_and_is_never_zero() -> None:
    alone, beside = hashed(["abc"])[0], hashed(["abc", "d" * 50, ""])

    assert alone == beside[0]
    assert (beside > 0).all()


def test_a_hundred_thousand_ids_have_as_many_hashes() -> None:
    assert len(set(hashed([f"evt-{i:012d}" for i in range(100_000)]).tolist())) == 100_000


def test_hashes_are_the_same_in_every_process() -> None:
    """Rows keep them: another value would be another account's plan."""
    assert [hex(h) for h in hashed(["enterprise", "קשר"]).tolist()] == ["0xebd9686f23ba94cf", "0x907f3c8213ead41f"]
