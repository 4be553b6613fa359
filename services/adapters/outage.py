"""What a person is told when a broker is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.errors import RetryLater

PAUSE = timedelta(seconds=1)
"""Before the broker is asked again."""


@contextmanager
def expecting_kafka(bootstrap: str) -> Iterator[None]:
    """Inside, any fault of Kafka or the network becomes RetryLater with a sentence that says what to do."""
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        why = "" if isinstance(error, KafkaConnectionError) else f" ({error})"
        raise RetryLater(f"no Kafka answers at {bootstrap}{why}: is KAFKA_BOOTSTRAP_SERVERS right?", PAUSE) from error
