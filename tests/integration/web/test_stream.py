"""Page and stream share a cursor: nothing falls between them, whichever process continues."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import pytest

from schemas.events.fact import Fact
from schemas.topics import FACTS
from services.settings import Settings
from services.web.live import cursor
from tests.facts import account, churn_risk, health_changed, histories, topic_of
from tests.integration.projector.projecting import ends, projecting, send, tell, until, until_applied
from tests.integration.web.opened_web import Heard, OpenWeb, listening, opened, take, until_ready

Lives = dict[tuple[str, str], list[tuple[int, int, str]]]


def lives(facts: Iterable[Fact]) -> Lives:
    """Per account and family: what was told, in order."""
    told: Lives = defaultdict(list)
    for fact in facts:
        told[fact.subject, fact.type.split(".")[1]].append((fact.generation, fact.sequence, fact.type))
    return told


def heard_lives(heard: Iterable[Heard]) -> Lives:
    told: Lives = defaultdict(list)
    for one in heard:
        told[one.data["account_id"], one.event].append((one.data["generation"], one.data["sequence"], one.data["type"]))
    return told


def calm(seed: int, accounts: int, decisions: int) -> list[Fact]:
    """Histories of one generation, so that no fact is dropped for coming from a scorer that lost its partition."""
    facts = list(histories(seed, accounts, decisions))
    for fact in facts:
        fact.generation = 1
        fact.id = ":".join((*fact.id.split(":")[:2], "1", str(fact.sequence)))
    return facts


async def until_read(web: OpenWeb, settings: Settings) -> None:
    """Everything that is in Kafka now is in the ring or beyond it."""
    there = await ends(settings)
    names = {topic.full(settings.prefix): topic.name for topic in FACTS}

    async def read() -> bool:
        return all(web.feed.ring.position[names[topic], number] >= end for (topic, number), end in there.items())

    await until(read)


async def test_nothing_falls_between_the_page_and_its_stream(web: OpenWeb, settings: Settings) -> None:
    """The page is read while facts flow; what it shows and what the stream tells after its cursor are all facts."""
    facts = calm(1, accounts=20, decisions=30)
    third = len(facts) // 3
    async with projecting(settings, settings.database_url):
        await tell(settings, facts[:third])
        await until_applied(settings, settings.database_url)
        page = (await web.http.get("/api/accounts", params={"limit": 200})).json()
        await tell(settings, facts[third : 2 * third])
        async with listening(web, cursor=page["cursor"]) as events:
            await tell(settings, facts[2 * third :])
            heard = await take(events, len(facts) - third)

    assert heard_lives(heard) == lives(facts[third:])
    last = {one.subject: (one.generation, one.sequence) for one in facts[:third]}
    for one in heard:
        assert (one.data["generation"], one.data["sequence"]) > last.get(one.data["account_id"], (0, 0))


async def test_every_event_id_continues_after_its_event_in_any_process(web: OpenWeb, settings: Settings) -> None:
    facts = calm(2, accounts=10, decisions=8)
    async with listening(web) as events:
        await anext(events)
        await tell(settings, facts)
        heard = await take(events, len(facts))
    assert heard_lives(heard) == lives(facts)

    async with opened(settings) as other:
        await until_ready(other)
        for at in (0, 7, len(heard) // 2, len(heard) - 2):
            for process in (web, other):
                async with listening(process, last=heard[at].id, cursor=heard[0].id) as again:
                    rest = await take(again, len(heard) - at - 1)
                assert heard_lives(rest) == heard_lives(heard[at + 1 :])
                assert cursor.read(rest[-1].id) == cursor.read(heard[-1].id)


async def test_what_the_ring_has_let_go_is_read_from_kafka(settings: Settings) -> None:
    facts = calm(3, accounts=12, decisions=40)
    half = len(facts) // 2
    await tell(settings, facts[:half])
    start = cursor.written({})
    async with opened(settings.model_copy(update={"stream_kept": 40})) as web:
        await until_ready(web)
        async with listening(web, cursor=start) as events:
            heard = await take(events, half)
        await tell(settings, facts[half:])
        await until_read(web, settings)  # and so let go: who comes back only now is behind the ring
        async with listening(web, last=heard[-1].id) as events:
            heard += await take(events, len(facts) - half)
        async with listening(web, last=heard[10].id) as events:
            again = await take(events, len(facts) - 11)
        metrics = (await web.http.get("/metrics")).text

    assert heard_lives(heard) == lives(facts)
    assert heard_lives(again) == heard_lives(heard[11:])
    assert "kesher_web_replays_total 3.0" in metrics


async def test_a_cursor_that_is_too_far_behind_is_reset(settings: Settings) -> None:
    await tell(settings, calm(4, accounts=5, decisions=30))
    async with opened(settings.model_copy(update={"stream_kept": 20, "stream_farthest": 10})) as web:
        await until_ready(web)
        await tell(settings, calm(5, accounts=5, decisions=30))
        async with listening(web, cursor=cursor.written({})) as events:
            (reset,) = await take(events, 1)
            assert (reset.event, reset.data["why"], reset.id) == ("reset", "too_old", "")
            with pytest.raises(StopAsyncIteration):
                await anext(events)


async def test_a_cursor_of_another_kafka_is_reset(web: OpenWeb) -> None:
    beyond = cursor.written({("health", 0): 10**6})
    elsewhere = cursor.written({("health", 9): 1})
    for text in (beyond, elsewhere):
        async with listening(web, cursor=text) as events:
            (reset,) = await take(events, 1)
            assert (reset.event, reset.data["why"]) == ("reset", "too_new")


async def test_an_unreadable_cursor_is_a_mistake_but_an_unreadable_last_event_id_is_reset(web: OpenWeb) -> None:
    answer = await web.http.get("/api/stream", params={"cursor": "nonsense"})
    assert answer.status_code == 422
    assert "unchanged" in answer.json()["detail"]
    async with listening(web, last="nonsense") as events:
        (reset,) = await take(events, 1)
        assert reset.event == "reset"


async def test_a_page_may_be_ahead_of_the_process_that_streams(web: OpenWeb, settings: Settings) -> None:
    """The projector and this process read Kafka on their own; what the page knows already is not told again."""
    await tell(settings, [health_changed("a", 1, 50.0)])
    async with listening(web, cursor=cursor.written({})) as events:
        (first,) = await take(events, 1)
    place, offset = next(iter((p, o) for p, o in cursor.read(first.id).items() if o))
    ahead = {**cursor.read(first.id), place: offset + 1}
    await tell(settings, [health_changed("a", 2, 40.0), health_changed("a", 3, 30.0)])
    async with listening(web, cursor=cursor.written(ahead)) as events:
        (third,) = await take(events, 1)
    assert third.data["sequence"] == 3


async def test_repeats_and_facts_of_a_lost_owner_are_told_to_nobody(web: OpenWeb, settings: Settings) -> None:
    first, second = health_changed("a", 1, 50.0), health_changed("a", 2, 40.0)
    lost = health_changed("a", 3, 10.0)
    mine = health_changed("a", 3, 45.0, generation=2)
    two = [churn_risk("raised", "a", 3, generation=2, kind=kind) for kind in ("silence", "payments")]
    two[1].id += ":payments"
    async with listening(web) as events:
        await anext(events)
        await tell(settings, [first, second, second, first, mine, lost, mine, *two, *two])
        await tell(settings, [health_changed("b", 1, generation=2)])
        heard = await take(events, 6)
    said = [(one.event, one.data["generation"], one.data["sequence"]) for one in heard if one.data["account_id"] == "a"]
    assert [one for one in said if one[0] == "health"] == [("health", 1, 1), ("health", 1, 2), ("health", 2, 3)]
    assert [one for one in said if one[0] == "churn_risk"] == [("churn_risk", 2, 3)] * 2


async def test_a_record_that_is_no_fact_stops_nobody(web: OpenWeb, settings: Settings) -> None:
    nonsense = (None, b"", b"{", b"[]", b'{"type":"kesher.health.changed"}', b'{"id":"\xff"}', b"9" * 1000)
    async with listening(web) as events:
        await anext(events)
        await send(settings, [("health", b"a", value) for value in nonsense])
        await tell(settings, [health_changed("a", 1)])
        (heard,) = await take(events, 1)
    assert heard.data["account_id"] == "a"
    assert 'kesher_web_facts_total{outcome="unreadable"} 7.0' in (await web.http.get("/metrics")).text


async def test_a_stream_tells_only_what_was_asked_for(web: OpenWeb, settings: Settings) -> None:
    facts = [
        health_changed("a", 1, snapshot=account(owner="dana")),
        health_changed("b", 1, snapshot=account(owner="יוסי")),
        health_changed("c", 1),
        churn_risk("raised", "c", 2),
    ]
    asked = {"owner": "יוסי"}, {"owner": ""}, {"account": ["a", "b"]}, {"event": "churn_risk"}
    expected = {"b"}, {"c"}, {"a", "b"}, {"c"}
    for parameters, accounts in zip(asked, expected, strict=True):
        async with listening(web, cursor=cursor.written({}), **parameters) as events:
            if parameters == asked[0]:
                await tell(settings, facts)
            heard = await take(events, {"": 2}.get(parameters.get("owner", "x"), len(accounts)))
        assert {one.data["account_id"] for one in heard} == accounts


async def test_a_quiet_stream_shows_signs_of_life_and_moves_its_place(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"stream_beat_seconds": 0.2})) as web:
        await until_ready(web)
        async with listening(web, owner="nobody") as events, asyncio.timeout(60):
            await anext(events)
            await tell(settings, [health_changed("a", 1)])
            seen = 0
            while not seen:
                beat = await anext(events)
                assert not beat.event
                seen = sum(cursor.read(beat.id).values())
    assert seen == 1


async def test_the_answer_of_a_stream_is_neither_kept_nor_held_back(web: OpenWeb) -> None:
    async with web.http.stream("GET", "/api/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in answer.headers


async def test_streams_end_when_the_process_stops(settings: Settings) -> None:
    async with opened(settings) as web:
        await until_ready(web)
        listener = listening(web)
        events = await listener.__aenter__()
        await anext(events)
        stopping = asyncio.get_running_loop().time()
        web.feed.close()
        async with asyncio.timeout(5):
            assert [one async for one in events if one.event] == []
        await listener.__aexit__(None, None, None)
    assert asyncio.get_running_loop().time() - stopping < 4


async def test_a_client_that_leaves_is_forgotten(web: OpenWeb) -> None:
    async with listening(web) as events:
        await anext(events)
        assert web.feed.clients == 1
    async with asyncio.timeout(60):
        while web.feed.clients:
            await asyncio.sleep(0.02)  # the server learns of it from the socket
    assert 'kesher_web_stream_ends_total{why="left"} 1.0' in (await web.http.get("/metrics")).text


def test_the_topic_of_a_fact_is_where_the_cursor_counts_it() -> None:
    assert topic_of(health_changed("a", 1)).name in cursor.NAMES
