"""Recorded events, mapped: nothing is lost, nothing is made up, everything passes the border."""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from schemas import envelope
from schemas.errors import InvalidEvent, Refused
from services.cli.datasets import DATASETS, Dataset
from streams.simulation import cdnow, ecom
from streams.simulation.spell import Record

CDNOW = "heading\r\n 00002 19970112  1   12.00\r\n 00001 19970101  3   11.77\r\n\r\n"
ECOM = """user_id,session_id,event,timestamp,platform
user_0001,s2,purchase,2024-03-13 10:21:14,desktop
user_0001,s1,support_chat,2024-03-12 10:21:14,desktop
user_0002,s3,payment_error,2024-03-14 10:21:14,mobile
user_0002,s3,search,2024-03-14 10:21:15,mobile
user_0002,s3,home,2024-03-14 10:21:16,mobile
"""


def installed(name: str) -> list[Record]:
    """The whole data set; without it the test is skipped, and says what would run it."""
    try:
        return DATASETS[name].records()
    except Refused as error:
        pytest.skip(f"NOT RUN: {error}")


def test_purchases_become_orders_in_time_order() -> None:
    first, second = cdnow.records(CDNOW.splitlines(keepends=True))
    event = envelope.read(first[3])

    assert (first[1], first[2], event.type) == ("purchases", b"cdnow-00001", "kesher.purchase.order_placed")
    assert msgspec.json.decode(event.data) == {"amount": "11.77", "currency": "USD", "items": 3}
    assert first[0] < second[0]
    assert (event.time or "").startswith("1997-01-01")


@pytest.mark.parametrize("line", ["1 19970132 1 2.00", "1 19970101 1", "1 19970101 one 2.00"])
def test_a_bad_line_of_purchases_is_named(line: str) -> None:
    with pytest.raises(InvalidEvent, match="line 2"):
        list(cdnow.records(["heading", line]))


def test_a_shop_speaks_of_orders_payments_tickets_features_and_pages() -> None:
    told = [envelope.read(record[3]) for record in ecom.records(ECOM.splitlines())]

    assert [event.type.removeprefix("kesher.") for event in told] == [
        "support.ticket_opened",
        "purchase.order_placed",
        "purchase.payment_failed",
        "usage.tracked",
        "usage.viewed",
    ]
    assert msgspec.json.decode(told[0].data) == {"ticket": "chat-3", "channel": "chat", "session": "s1"}
    assert msgspec.json.decode(told[3].data) == {"name": "search", "user": "user_0002", "session": "s3"}


def test_a_bad_line_of_the_shop_is_named() -> None:
    with pytest.raises(InvalidEvent, match="line 2"):
        list(ecom.records(["user_id,session_id,event,timestamp", "u,s,home,yesterday"]))


def test_a_data_set_that_is_not_installed_says_how_to_get_it() -> None:
    absent = Dataset("cdnow", "", "no_such_package_here", "1.2.3", "file.txt", 0, cdnow.records)

    with pytest.raises(Refused, match=r"make demo DATA=cdnow(.|\n)*--no-deps no_such_package_here==1\.2\.3"):
        absent.path()


def test_all_purchases_of_the_music_shop_arrive() -> None:
    records = installed("cdnow")
    spent = sum(Decimal(msgspec.json.decode(envelope.read(value).data)["amount"]) for *_, value in records)

    assert len(records) == cdnow.PURCHASES_MADE
    assert len({key for _, _, key, _ in records}) == cdnow.CUSTOMERS
    assert spent == Decimal("2500315.63")
    assert [at for at, *_ in records] == sorted(at for at, *_ in records)


def test_all_events_of_the_web_shop_arrive() -> None:
    records = installed("ecom")
    kinds = Counter(envelope.read(value).type.removeprefix("kesher.") for *_, value in records)

    assert len(records) == ecom.LINES
    assert len({key for _, _, key, _ in records}) == ecom.USERS
    assert kinds == {
        "usage.viewed": 21_186,
        "usage.tracked": 9_054,
        "purchase.order_placed": 470,
        "support.ticket_opened": 277,
        "purchase.payment_failed": 119,
    }
    assert len({envelope.read(value).id for *_, value in records}) == ecom.LINES
