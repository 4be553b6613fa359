"""Rows -> CloudEvents in JSON, as fast as string formatting goes."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np

from schemas.events import INPUTS
from streams.simulation.calendars import ZONES
from streams.simulation.comments import COMMENTS, IDEAS
from streams.simulation.names import OWNERS, person
from streams.simulation.personas import FEATURES, PAGES, PLANS, SEAT_PRICE
from streams.simulation.population import Population
from streams.simulation.rows import Kind, Rows

Record = tuple[float, str, bytes, bytes]
"""Event time in epoch seconds, topic without prefix, key, CloudEvent."""
RATES = {"USD": 1.0, "EUR": 1.08, "GBP": 1.27, "ILS": 0.27}
"""Worth of one unit in US dollars, in this world."""
ROLES = ("champion", "admin", "user")
CHAMPION = ROLES.index("champion")
PRIORITIES = ("low", "normal", "high", "urgent")
CHANNELS = ("email", "chat", "chatbot", "messenger", "voice", "video", "social")
METRICS = ("nps", "csat", "ces")
SCALES = ((0, 10), (1, 5), (1, 7))
TOUCHES = ("meeting", "training", "qbr", "demo_request", "content", "site", "proposal")
REASONS = ("too expensive", "moved to a competitor", "project ended", "missing a feature")
REFUSALS = ("card_declined", "insufficient_funds", "expired_card")
COSTS = (4, 9, 22, 60)
"""Of resolving a ticket, in US dollars, by priority."""
_TYPES = {
    Kind.TRACKED: "usage.tracked",
    Kind.VIEWED: "usage.viewed",
    Kind.LIMIT_REACHED: "usage.limit_reached",
    Kind.INTRODUCED: "profile.updated",
    Kind.SEATS_COUNTED: "profile.updated",
    Kind.MEMBER_ADDED: "profile.member_added",
    Kind.MEMBER_REMOVED: "profile.member_removed",
    Kind.TRIAL_STARTED: "purchase.trial_started",
    Kind.SUBSCRIBED: "purchase.subscription_started",
    Kind.CHANGED: "purchase.subscription_changed",
    Kind.CANCELLED: "purchase.subscription_cancelled",
    Kind.PAID: "purchase.invoice_paid",
    Kind.PAYMENT_FAILED: "purchase.payment_failed",
    Kind.OPENED: "support.ticket_opened",
    Kind.REOPENED: "support.ticket_reopened",
    Kind.RESOLVED: "support.ticket_resolved",
    Kind.BREACHED: "support.sla_breached",
    Kind.ANSWERED: "feedback.survey_answered",
    Kind.IDEA: "feedback.idea_submitted",
    Kind.REVIEWED: "feedback.review_posted",
    Kind.REFERRED: "feedback.referral_made",
    Kind.TOUCHED: "touchpoint.seen",
    Kind.REFUNDED: "purchase.refund_issued",
}
_KINDS = [INPUTS[f"kesher.{_TYPES[kind]}"] for kind in Kind]
_CHUNK = 8192


class Speller:
    """Knows the customers and the calendar of one world.  `backfill_before` is in epoch milliseconds."""

    def __init__(self, people: Population, start: date, source: str, backfill_before: int) -> None:
        self._people = people
        self._start = start
        self._backfill_before = backfill_before
        self._keys = [account.encode() for account in people.ids]
        self._language: list[int] = people.hebrew.astype(int).tolist()
        self._plans = [PLANS[plan] for plan in people.plan.tolist()]
        self._owners = [OWNERS[owner] for owner in people.owner.tolist()]
        self._prices = [_price(*terms) for terms in zip(people.plan.tolist(), people.zone.tolist(), strict=True)]
        self._heads = [f'","source":"{source}","type":"{kind.name}","subject":"' for kind in _KINDS]
        self._topics = [kind.topic.name for kind in _KINDS]
        self._data: list[Callable[[int, int, int, int, int], str]] = [
            getattr(self, f"_{kind.name.lower()}") for kind in Kind
        ]

    def records(self, table: Rows) -> Iterator[Record]:
        """The rows as records, in their order."""
        for begin in range(0, len(table), _CHUNK):
            yield from self._chunk(table[begin : begin + _CHUNK])

    def _chunk(self, table: Rows) -> Iterator[Record]:
        ids, topics, heads, keys, data = self._people.ids, self._topics, self._heads, self._keys, self._data
        times = np.datetime_as_string(table["at"].astype("M8[ms]")).tolist()
        columns = (table[word].tolist() for word in ("at", "serial", "kind", "account", "a", "b", "c", "d"))
        for time, at, serial, kind, who, a, b, c, d in zip(times, *columns, strict=True):
            tail = '},"backfill":true}' if at < self._backfill_before else "}}"
            text = (
                f'{{"specversion":"1.0","id":"{serial:x}{heads[kind]}{ids[who]}","time":"{time}Z","data":{{'
                f"{data[kind](who, a, b, c, d)}{tail}"
            )
            yield at / 1000, topics[kind], keys[who], text.encode()

    def day(self, number: int) -> str:
        """A day of the world as a date."""
        return (self._start + timedelta(number)).isoformat()

    def _tracked(self, who: int, feature: int, user: int, count: int, _d: int) -> str:
        return f'"name":"{FEATURES[feature]}","user":"{person(self._people.ids[who], user)}","count":{count}'

    def _viewed(self, who: int, page: int, user: int, _c: int, _d: int) -> str:
        return f'"name":"{PAGES[page]}","user":"{person(self._people.ids[who], user)}"'

    def _limit_reached(self, _who: int, seats: int, _b: int, _c: int, _d: int) -> str:
        return f'"name":"seats","properties":{{"limit":{seats}}}'

    def _introduced(self, who: int, used: int, bought: int, renews: int, _d: int) -> str:
        people = self._people
        names = {
            "name": people.names[who],
            "plan": self._plans[who],
            "segment": people.segments[who],
            "owner": self._owners[who],
        }
        told = json.dumps(names, ensure_ascii=False, separators=(",", ":"))[1:-1]
        crm = f'{{"hubspot":"{91_400_000 + 37 * who}","salesforce":"0015e{who:010d}AAA"}}'
        renewal = f',"renews_at":"{self.day(renews)}"' if renews else ""
        return f'{told},"seats_bought":{bought},"seats_used":{used}{renewal},"crm":{crm}'

    def _seats_counted(self, _who: int, used: int, bought: int, _c: int, _d: int) -> str:
        return f'"seats_bought":{bought},"seats_used":{used}'

    def _member_added(self, who: int, user: int, role: int, _c: int, _d: int) -> str:
        return f'"user":"{person(self._people.ids[who], user)}","role":"{ROLES[role]}"'

    _member_removed = _member_added

    def _trial_started(self, who: int, seats: int, _b: int, _c: int, _d: int) -> str:
        return f'"plan":"{self._plans[who]}","seats":{seats}'

    def _subscribed(self, who: int, seats: int, renews: int, _c: int, _d: int) -> str:
        price, currency = self._prices[who]
        terms = f'"mrr":{seats * price:.0f},"currency":"{currency}","renews_at":"{self.day(renews)}"'
        return f'"plan":"{self._plans[who]}","seats":{seats},{terms}'

    _changed = _subscribed

    def _cancelled(self, _who: int, reason: int, _b: int, _c: int, _d: int) -> str:
        return f'"reason":"{REASONS[reason]}","mrr":0'

    def _paid(self, who: int, seats: int, _b: int, _c: int, _d: int) -> str:
        price, currency = self._prices[who]
        return f'"amount":"{seats * price:.2f}","currency":"{currency}","mrr":{seats * price:.0f}'

    def _payment_failed(self, who: int, seats: int, reason: int, _c: int, _d: int) -> str:
        price, currency = self._prices[who]
        return f'"amount":"{seats * price:.2f}","currency":"{currency}","reason":"{REFUSALS[reason]}"'

    def _refunded(self, who: int, seats: int, _b: int, _c: int, _d: int) -> str:
        price, currency = self._prices[who]
        return f'"amount":"{seats * price:.2f}","currency":"{currency}","reason":"unused seats"'

    def _opened(self, _who: int, day: int, number: int, priority: int, channel: int) -> str:
        return f'"ticket":"T{day}-{number}","priority":"{PRIORITIES[priority]}","channel":"{CHANNELS[channel]}"'

    _reopened = _breached = _opened

    def _resolved(self, who: int, day: int, number: int, priority: int, channel: int) -> str:
        return f'{self._opened(who, day, number, priority, channel)},"cost":{COSTS[priority]},"currency":"USD"'

    def _answered(self, who: int, metric: int, score: int, user: int, comment: int) -> str:
        least, most = SCALES[metric]
        mood = 0 if (score - least) / (most - least) < 0.65 else 1 if (score - least) / (most - least) < 0.85 else 2
        words = self._comment(who, mood, comment) if comment >= 0 else ""
        survey = f'"survey":"{METRICS[metric]}-quarterly","metric":"{METRICS[metric]}","score":{score}'
        return f'{survey},"respondent":"{person(self._people.ids[who], user)}"{words}'

    def _comment(self, who: int, mood: int, number: int) -> str:
        choice = COMMENTS[self._language[who]][mood]
        return f',"comment":"{choice[number % len(choice)]}"'

    def _idea(self, who: int, user: int, idea: int, _c: int, _d: int) -> str:
        choice = IDEAS[self._language[who]]
        return f'"respondent":"{person(self._people.ids[who], user)}","comment":"{choice[idea % len(choice)]}"'

    def _reviewed(self, who: int, user: int, score: int, comment: int, _d: int) -> str:
        words = self._comment(who, min(2, score // 2), comment)
        return f'"respondent":"{person(self._people.ids[who], user)}","score":{score}{words}'

    def _referred(self, who: int, user: int, _b: int, _c: int, _d: int) -> str:
        return f'"respondent":"{person(self._people.ids[who], user)}"'

    def _touched(self, who: int, kind: int, channel: int, _c: int, _d: int) -> str:
        by = json.dumps(self._owners[who], ensure_ascii=False)
        return f'"kind":"{TOUCHES[kind]}","channel":"{CHANNELS[channel]}","by":{by}'


def _price(plan: int, zone: int) -> tuple[float, str]:
    """A seat's price a month in the account's currency."""
    currency = ZONES[zone].currency
    return float(round(SEAT_PRICE[plan] / RATES[currency])), currency
