"""What a client missed that the ring no longer holds, read from Kafka once, up to where the ring begins."""

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from schemas.errors import InvalidEvent, Refused
from schemas.topics import FACTS
from services.settings import Settings
from services.web.live.change import Change, News, change
from services.web.live.consuming import consuming
from services.web.live.cursor import Offsets, Place

BEFORE = 500
"""Records read ahead of each partition's part only to know what is a repeat."""
BATCH = 2_000
SILENCE = 50
"""Polls of 0.2 s without a record before Kafka counts as away."""
WAIT = timedelta(milliseconds=50)


async def replayed(
    settings: Settings, start: Mapping[Place, int], until: Mapping[Place, int]
) -> AsyncGenerator[Change]:
    """Changes from `start` up to, not including, `until`; both name the same places, partition order kept.

    Refused when Kafka has deleted some of them.  Raises KafkaError while Kafka is away."""
    names = {topic.name: topic.full(settings.prefix) for topic in FACTS}
    places = {TopicPartition(names[topic], partition): (topic, partition) for topic, partition in start}
    async with consuming(settings, "web-replay", WAIT) as reading:
        reading.assign(list(places))
        left: Offsets = dict(until)
        for each, first in (await reading.beginning_offsets(list(places))).items():
            place = places[each]
            if start[place] < first:
                msg = f"{each.topic}[{each.partition}] now begins at {first}; the cursor is at {start[place]}"
                raise Refused(msg)
            reading.seek(each, max(first, start[place] - BEFORE))
        news = News(remembered=BEFORE * len(places) + sum(until.values()) - sum(start.values()))
        silent = 0
        while left:
            got = await reading.getmany(timeout_ms=200, max_records=BATCH)
            silent = 0 if got else silent + 1
            if silent > SILENCE:
                raise KafkaTimeoutError
            for each, records in got.items():
                for record in records:
                    one = _fresh(news, places[each], record.offset, record.value)
                    if one is not None and start[places[each]] <= record.offset < until[places[each]]:
                        yield one
            for each, place in places.items():
                if place in left and await reading.position(each) >= left[place]:
                    del left[place]
                    reading.pause(each)


def _fresh(news: News, place: Place, offset: int, value: bytes | None) -> Change | None:
    try:
        one = change(*place, offset, value)
    except InvalidEvent:
        return None
    return one if news.is_news(one) else None
