"""The list, the account, the signals and the figures, on a read model that a projector could have written."""
# ruff: noqa: S608 -- the columns are the test's own

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from services.web.live import cursor
from tests.facts import START
from tests.integration.web.opened_web import OpenWeb

ORDERS = ("score", "name", "mrr", "renews_at", "changed_at")
ODD_TEXTS = ("ACM", "%", "_", "ק", "ZOË", "\\")
BANDS = ("red", "amber", "green", "unknown", None)


def some(seed: int, count: int) -> list[dict[str, Any]]:
    """Accounts with many ties and many unknown values."""
    chance = Random(seed)
    return [
        {
            "account_id": f"acct {number:03}/{chance.choice(('א', 'b', 'Z', '%', '_'))}",
            "name": chance.choice((None, "Acme", "acme", "ACME %", "בנק", "Under_score", "Zoë", "ζ")),
            "score": chance.choice((None, 0.0, 12.5, 12.5, 33.3, 100.0)),
            "mrr": chance.choice((None, 0.0, 99.99, 1e9)),
            "renews_at": chance.choice((None, START, START + timedelta(days=1))),
            "changed_at": chance.choice((START, START + timedelta(microseconds=1))),
            "band": chance.choice(BANDS),
            "stage": chance.choice(("adoption", "advocacy", None)),
            "owner": chance.choice((None, "dana", "יוסי")),
            "segment": chance.choice((None, "smb")),
            "plan": chance.choice((None, "pro")),
        }
        for number in range(count)
    ]


async def stored(web: OpenWeb, accounts: Sequence[dict[str, Any]]) -> None:
    for one in accounts:
        columns = [*one, "generation", "sequence"]
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        await web.pool.execute(f"INSERT INTO accounts ({', '.join(columns)}) VALUES ({places})", *one.values(), 1, 1)


async def signal(web: OpenWeb, account_id: str, kind: str, **more: Any) -> None:
    row = {
        "account_id": account_id,
        "family": "churn_risk",
        "kind": kind,
        "episode": 1,
        "level": "high",
        "cause": "event",
        "raised_at": START,
        "fact_id": f"{account_id}:{kind}:{more.get('episode', 1)}",
        "generation": 1,
        "sequence": 1,
        **more,
    }
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await web.pool.execute(f"INSERT INTO signals ({', '.join(row)}) VALUES ({places})", *row.values())


async def all_pages(web: OpenWeb, path: str, key: str, **asked: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after = None
    for _ in range(1000):
        answer = await web.http.get(path, params={**asked, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert 0 < len(page[key]) <= asked["limit"] or not after
        rows += page[key]
        after = page["next"]
        if after is None:
            return rows
    raise AssertionError("the pages never end")


async def test_pages_joined_are_the_sorted_list(web: OpenWeb) -> None:
    """Under ties and unknown values, whatever the size of a page."""
    accounts = some(1, 60)
    await stored(web, accounts)
    for order, sign in itertools.product(ORDERS, ("", "-")):
        values = {one["account_id"]: one[order] for one in accounts}
        if order == "name":
            values = {key: value and value.lower() for key, value in values.items()}
        known = sorted(((value, key) for key, value in values.items() if value is not None), reverse=sign == "-")
        unknown = sorted((key for key, value in values.items() if value is None), reverse=sign == "-")
        for limit in (1, 7, 60, 200):
            rows = await all_pages(web, "/api/accounts", "accounts", sort=sign + order, limit=limit)
            assert [row["account_id"] for row in rows] == [key for _, key in known] + unknown, (order, sign, limit)


async def test_filters_keep_exactly_what_matches(web: OpenWeb) -> None:
    accounts = some(7, 80)
    await stored(web, accounts)
    risky = accounts[::9]
    for number, one in enumerate(risky):
        cleared = START if number % 2 else None
        await signal(web, one["account_id"], ("silence", "payments")[number % 3 > 0], cleared_at=cleared)

    def has_open(one: dict[str, Any], *kinds: str) -> bool:
        return any(
            one is each and not number % 2 and ("silence", "payments")[number % 3 > 0] in kinds
            for number, each in enumerate(risky)
        )

    def says(one: dict[str, Any], text: str) -> bool:
        return text in one["account_id"].lower() or text in (one["name"] or "").lower()

    cases: list[tuple[dict[str, Any], Any]] = [
        ({"band": "red"}, lambda one: one["band"] == "red"),
        ({"band": ["red", "amber"]}, lambda one: one["band"] in ("red", "amber")),
        ({"band": "unknown"}, lambda one: one["band"] in ("unknown", None)),
        ({"stage": "adoption"}, lambda one: one["stage"] == "adoption"),
        ({"owner": ["יוסי", ""]}, lambda one: one["owner"] in ("יוסי", None)),
        ({"segment": "smb", "plan": "pro"}, lambda one: one["segment"] == "smb" and one["plan"] == "pro"),
        ({"min_score": 12.5, "max_score": 33.3}, lambda one: one["score"] in (12.5, 33.3)),
        ({"signal": "churn_risk"}, lambda one: has_open(one, "silence", "payments")),
        ({"signal": "churn_risk/silence"}, lambda one: has_open(one, "silence")),
        ({"signal": "upsell"}, lambda _: False),
        *(({"q": text}, lambda one, text=text: says(one, text.lower())) for text in ODD_TEXTS),
        ({"q": "acme", "band": "red", "owner": "dana"},
         lambda one: says(one, "acme") and one["band"] == "red" and one["owner"] == "dana"),
    ]  # fmt: skip
    for asked, matches in cases:
        wanted = {one["account_id"] for one in accounts if matches(one)}
        rows = await all_pages(web, "/api/accounts", "accounts", limit=13, **asked)
        assert {row["account_id"] for row in rows} == wanted, asked
        assert len(rows) == len(wanted)
        counted = (await web.http.get("/api/accounts", params={**asked, "count": True, "limit": 1})).json()
        assert counted["total"] == len(wanted)


async def test_an_account_is_found_whatever_its_id_holds(web: OpenWeb) -> None:
    odd = ("a/b", "/a", "a//b/", "../x", "a%2Fb", "%", "a b?c#d", "חברה", "🦉", "a\\b",
           "'; DROP TABLE accounts; --", "x" * 256)  # fmt: skip
    await stored(web, [{"account_id": name, "name": "that one"} for name in odd])
    for name in odd:
        answer = await web.http.get(f"/api/accounts/{quote(name, safe='')}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["account_id"] == name
        assert answer.json()["history"] == answer.json()["signals"] == answer.json()["stages"] == []


async def test_an_account_that_does_not_exist_is_a_problem_not_a_fault(web: OpenWeb) -> None:
    for path in ("nobody", "%00", "%0A", "x" * 257, "%FF%FE", "", "nobody/", "nobody%2Fhistory"):
        answer = await web.http.get(f"/api/accounts/{path}")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "no account" in answer.json()["detail"] or "no such account" in answer.json()["detail"]


async def test_an_account_tells_its_whole_story(web: OpenWeb) -> None:
    reasons = [{"measure": "usage", "from": 60.0, "to": 20.0, "effect": -8.0}]
    one = {"account_id": "a", "name": "A", "score": 31.0, "band": "red", "coverage": 0.8, "open_signals": 1}
    documents = {"measures": {"usage": 20.0}, "missing": ["payments"], "crm": {"hubspot": "7"}}
    await stored(web, [one | documents | {"reasons": reasons}])
    for day in range(1000):
        at = START + timedelta(hours=day)
        await web.pool.execute(
            "INSERT INTO health_history (account_id, bucket, at, score, band, coverage, fact_id, generation, sequence)"
            " VALUES ('a', date_trunc('minute', $1::timestamptz), $1, $2, 'red', 0.8, $3, 1, $4)",
            *(at, day / 10, f"f{day}", day),
        )
    for number in range(3):
        await signal(web, "a", "silence", episode=number, raised_at=START + timedelta(days=number),
                     cleared_at=START if number else None, reasons=reasons)  # fmt: skip
        await web.pool.execute(
            "INSERT INTO stage_history VALUES ($1, 'a', 'purchase', 'adoption', '[\"first_value\"]', $2)",
            *(f"s{number}", START + timedelta(days=number)),
        )
        await web.pool.execute(
            "INSERT INTO activities VALUES ('t', 0, $1, 'a', 'kesher.support.ticket_opened', $2, $3)",
            *(number, START + timedelta(days=number), {"ticket": "7"}),
        )
    told = (await web.http.get("/api/accounts/a", params={"points": 100})).json()
    assert told["reasons"] == reasons
    assert (told["measures"], told["missing"], told["crm"]) == ({"usage": 20.0}, ["payments"], {"hubspot": "7"})
    moments = [datetime.fromisoformat(point["at"]) for point in told["history"]]
    assert len(moments) == 100
    assert moments == sorted(moments)
    assert moments[-1] == START + timedelta(hours=999)
    assert max(later - one for one, later in itertools.pairwise(moments)) < timedelta(hours=22)
    episodes = [(one["episode"], one["cleared_at"] is None) for one in told["signals"]]
    assert episodes == [(0, True), (2, False), (1, False)]
    assert told["signals"][0]["reasons"] == reasons
    assert [one["at"] for one in told["stages"]] == sorted((one["at"] for one in told["stages"]), reverse=True)
    assert told["stages"][0].items() >= {"from": "purchase", "to": "adoption", "because": ["first_value"]}.items()
    assert [one["data"] for one in told["activities"]] == [{"ticket": "7"}] * 3
    since = {"since": (START + timedelta(hours=990)).isoformat()}
    assert len((await web.http.get("/api/accounts/a", params=since)).json()["history"]) == 10


async def test_signals_are_told_newest_first_under_ties(web: OpenWeb) -> None:
    chance = Random(3)
    await stored(web, some(3, 10))
    ids = [row[0] for row in await web.pool.fetch("SELECT account_id FROM accounts")]
    wanted = []
    for episode in range(60):
        row = {"episode": episode, "raised_at": START + timedelta(minutes=chance.randrange(4)),
               "cleared_at": chance.choice((None, START)),
               "family": chance.choice(("churn_risk", "upsell"))}  # fmt: skip
        account_id, kind = chance.choice([*ids, "unknown"]), chance.choice(("silence", "seats"))
        await signal(web, account_id, kind, **row)
        wanted.append((row["raised_at"], account_id, row["family"], kind, episode, row["cleared_at"] is None))
    wanted.sort(reverse=True)
    for limit in (1, 7, 200):
        rows = await all_pages(web, "/api/signals", "signals", limit=limit)
        assert [row["episode"] for row in rows] == [one[4] for one in wanted]
    for asked, kept in (
        ({"open": True}, lambda one: one[5]),
        ({"open": False}, lambda one: not one[5]),
        ({"family": "upsell", "kind": "seats"}, lambda one: one[2:4] == ("upsell", "seats")),
        ({"account": "unknown"}, lambda one: one[1] == "unknown"),
    ):
        rows = await all_pages(web, "/api/signals", "signals", limit=5, **asked)
        assert [row["episode"] for row in rows] == [one[4] for one in wanted if kept(one)]


async def test_the_figures_are_the_sums_of_the_list(web: OpenWeb) -> None:
    accounts = some(11, 70)
    await stored(web, accounts)
    for kind in ("silence", "payments"):
        for one in accounts[::5]:
            await signal(web, one["account_id"], kind)
    await signal(web, accounts[1]["account_id"], "seats", family="upsell")
    await signal(web, accounts[2]["account_id"], "silence", cleared_at=START)
    for owner in (None, "dana"):
        mine = [one for one in accounts if owner in (None, one["owner"])]
        told = (await web.http.get("/api/portfolio", params={"owner": owner} if owner else {})).json()
        assert told["accounts"] == len(mine) == sum(told["bands"].values())
        assert told["bands"]["unknown"] == sum(one["band"] in ("unknown", None) for one in mine)
        assert told["mrr"] == pytest.approx(sum(one["mrr"] or 0 for one in mine))
        risky = [one for one in accounts[::5] if one in mine]
        assert told["mrr_at_risk"] == pytest.approx(sum(one["mrr"] or 0 for one in risky))
        assert told["open_signals"]["churn_risk"] == 2 * len(risky)


async def test_the_cursor_is_how_far_the_facts_are_applied(web: OpenWeb) -> None:
    rows = [(f"{web.settings.prefix}.{name}", 1, 41) for name in ("health", "churn-risk", "usage")]
    statement = "INSERT INTO projector_offsets (topic, partition, next_offset) VALUES ($1, $2, $3)"
    await web.pool.executemany(statement, rows)
    await stored(web, [{"account_id": "a"}])
    for path in ("/api/accounts", "/api/accounts/a", "/api/signals", "/api/portfolio"):
        told = (await web.http.get(path)).json()["cursor"]
        assert cursor.read(told) == {("health", 1): 41, ("churn-risk", 1): 41}


async def test_what_cannot_be_asked_is_refused_with_what_and_where(web: OpenWeb) -> None:
    page = (await web.http.get("/api/accounts", params={"limit": 1})).json()
    assert page["next"] is None
    await stored(web, some(1, 3))
    after = (await web.http.get("/api/accounts", params={"limit": 1, "sort": "name"})).json()["next"]
    for asked, what in (
        ({"limit": 0}, "`limit`"), ({"limit": 201}, "`limit`"), ({"limit": "x"}, "you sent 'x'"),
        ({"sort": "age"}, "`sort`"), ({"band": "blue"}, "`band.0`"), ({"q": "\0"}, "`q`"),
        ({"colour": "red"}, "no query parameter `colour` here, only band, "), ({"signal": "x"}, "`signal`"),
        ({"min_score": "nan"}, "`min_score`"),
        ({"after": "nonsense"}, "unchanged"), ({"after": after, "sort": "mrr"}, "another order"),
    ):  # fmt: skip
        answer = await web.http.get("/api/accounts", params=asked)
        assert answer.status_code == 422, asked
        assert answer.headers["content-type"] == "application/problem+json"
        assert what in answer.json()["detail"], answer.text


async def test_a_database_that_is_away_is_told_as_a_passing_fault(web: OpenWeb) -> None:
    assert (await web.http.get("/api/accounts")).status_code == 200
    await web.pool.execute("ALTER TABLE accounts RENAME TO gone")
    ready = await web.http.get("/readyz")
    assert ready.status_code == 503
    assert "kesher migrate" in ready.text
    await web.pool.execute("ALTER TABLE gone RENAME TO accounts")
    assert (await web.http.get("/readyz")).status_code == 200


async def test_times_without_a_zone_are_utc(web: OpenWeb) -> None:
    await stored(web, [{"account_id": "a", "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}])
    answer = await web.http.get("/api/accounts/a", params={"since": "2026-01-01T00:00:00"})
    assert answer.status_code == 200
