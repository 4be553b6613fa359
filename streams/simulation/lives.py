"""What customers do of themselves on a day: arrive, use the product, pay, answer, talk."""

import numpy as np

from streams.simulation import standing
from streams.simulation.calendars import FROM_SUNDAY, Ints
from streams.simulation.day import Day
from streams.simulation.personas import FEATURES, PAGE_SHARES
from streams.simulation.population import NEVER
from streams.simulation.rows import DAY_MS, HOUR_MS, Kind, Rows, rows
from streams.simulation.spell import METRICS, REASONS, REFUSALS, TOUCHES

_SEEN_MEMBERS = 8
"""Members an account is introduced with; the rest show themselves by use."""
_VIEWS = 0.18
_PAGES = np.cumsum(PAGE_SHARES)
_NPS, _CES = METRICS.index("nps"), METRICS.index("ces")
_SURVEYED_EVERY = 60
_USER = 2
_COUNTED_AT = 5 * HOUR_MS
"""Local time at which seats are counted, before anyone works."""
_TRYING_AFTER = 30 * 60_000


def arrivals(day: Day) -> list[Rows]:
    """The accounts that the first day finds, and those born today, with their members and subscription or trial."""
    people, number = day.people, day.number
    first = day.living if number == 0 else people.born == number
    who = np.flatnonzero(first)
    at = day.when(who) if number else day.utc + np.arange(len(who))
    pays = day.paying[who]
    renews = standing.renewal(people, number)[who]
    crowd, nth = _each_member(np.minimum(day.used[who], _SEEN_MEMBERS))
    subscribed = who[pays]
    tries = ~pays & (people.plan[who] > 0)
    trying = who[tries]
    return [
        rows(Kind.INTRODUCED, at, who, day.used[who], day.bought[who], np.where(pays, renews, 0)),
        rows(Kind.MEMBER_ADDED, at[crowd] + 1000 + nth, who[crowd], nth, np.minimum(nth, _USER)),
        rows(Kind.SUBSCRIBED, at[pays] + 2000, subscribed, day.bought[subscribed], renews[pays]),
        rows(Kind.TRIAL_STARTED, at[tries] + _TRYING_AFTER, trying, day.bought[trying]),
    ]


def _each_member(counts: Ints) -> tuple[Ints, Ints]:
    """How many members each has -> the place of the account and the number of the member, one entry per member."""
    places = np.repeat(np.arange(len(counts)), counts)
    return places, np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)


def usage(day: Day) -> list[Rows]:
    """Features used, pages seen, limits met."""
    rate = standing.usage_rate(day.people, day.number, day.on) * day.weather.usage
    who = np.repeat(np.arange(len(rate)), day.chance.poisson(rate))
    at, person, many = day.when(who), day.person(who), len(who)
    viewed = day.chance.random(many) < _VIEWS
    what = day.chance.random(many)
    favourite = (day.people.phase[who] + (len(FEATURES) * what**1.8).astype(np.int64)) % len(FEATURES)
    page = np.searchsorted(_PAGES, what, side="right")
    count = 1 + np.minimum(40, (-1.5 * np.log1p(-day.chance.random(many))).astype(np.int64))
    full = day.happens(np.where(day.paying & (day.used >= day.bought), 0.3 * day.worked, 0.0))
    return [
        rows(Kind.TRACKED, at[~viewed], who[~viewed], favourite[~viewed], person[~viewed], count[~viewed]),
        rows(Kind.VIEWED, at[viewed], who[viewed], np.minimum(page[viewed], len(PAGE_SHARES) - 1), person[viewed]),
        rows(Kind.LIMIT_REACHED, day.when(full), full, day.bought[full]),
    ]


def seats(day: Day) -> list[Rows]:
    """Seats counted once a week where they changed; people who leave."""
    people, number = day.people, day.number
    begins = np.where(people.week == FROM_SUNDAY, 6, 0) == day.on.weekday()
    changed = day.used != standing.seats_used(people, number - 7)
    counted = np.flatnonzero(begins & changed & day.living & (people.buys == NEVER))
    leaving = day.happens(np.where(day.living & (people.luck < 1), 0.002 * day.worked, 0.0))
    someone = day.below(np.maximum(day.used[leaving], 1), len(leaving))
    return [
        rows(Kind.SEATS_COUNTED, day.midnight[counted] + _COUNTED_AT, counted, day.used[counted], day.bought[counted]),
        rows(Kind.MEMBER_REMOVED, day.when(leaving), leaving, someone, np.minimum(someone, _USER)),
    ]


def money(day: Day) -> list[Rows]:
    """Subscriptions that begin, change and end; invoices paid, refused and tried again."""
    people, number = day.people, day.number
    renews = standing.renewal(people, number)
    starts = np.flatnonzero((number > 0) & ((people.pays == number) & (people.born < number) | (people.back == number)))
    bought_before = standing.seats_bought(people, number - 1)
    more = (day.bought != bought_before) & (people.buys == NEVER)
    changes = np.flatnonzero((number > 0) & day.paying & (more | (standing.renewal(people, number - 1) == number)))
    ends = np.flatnonzero((people.gone == number) & (people.pays < number))
    return [
        rows(Kind.SUBSCRIBED, day.when(starts), starts, day.bought[starts], renews[starts]),
        rows(Kind.CHANGED, day.when(changes), changes, day.bought[changes], renews[changes]),
        rows(Kind.CANCELLED, day.when(ends), ends, day.below(len(REASONS), len(ends))),
        *_invoices(day),
    ]


def _invoices(day: Day) -> list[Rows]:
    """Today's bills.  A refused one is tried again after three days and, refused once more, after seven; now and then
    some of it is given back."""
    billed = np.flatnonzero(day.paying & (day.people.bills == day.on.day))
    at, luck = day.when(billed), day.chance.random(len(billed))
    fails = day.people.fails[billed]
    refused, again = luck < fails, luck < fails * 0.3
    returned = luck > 0.993
    reason = day.below(len(REFUSALS), len(billed))
    paid_at = at + np.select([again, refused], [7 * DAY_MS, 3 * DAY_MS], 0)
    bought = day.bought[billed]
    return [
        rows(Kind.PAYMENT_FAILED, at[refused], billed[refused], bought[refused], reason[refused]),
        rows(Kind.PAYMENT_FAILED, at[again] + 3 * DAY_MS, billed[again], bought[again], reason[again]),
        rows(Kind.PAID, paid_at, billed, bought),
        rows(Kind.REFUNDED, paid_at[returned] + 2 * DAY_MS, billed[returned], 1 + bought[returned] // 5),
    ]


def voices(day: Day) -> list[Rows]:
    """NPS every two months and whenever the weather asks, CES now and then; ideas, reviews, referrals."""
    turn = (day.number + day.people.phase) % _SURVEYED_EVERY == 0
    polled = [day.happens(np.where(day.living, np.where(turn, 0.6, 0.0), 0.0)) for _ in range(3)]
    polled.append(day.happens(np.where(day.living, day.weather.asked, 0.0)))
    effort = day.happens(np.where(day.paying, 0.006 * day.worked, 0.0))
    apart = day.people.buys != NEVER  # a story says when its own promoter speaks
    happy = np.where(day.paying & (day.people.mood > 8) & (day.weather.mood == 0) & ~apart, day.worked, 0.0)
    ideas, reviews, referrals = (day.happens(likely) for likely in (0.008 * day.worked, 0.0025 * happy, 0.001 * happy))
    return [
        *(_answers(day, who, _NPS, nth) for nth, who in enumerate(polled)),
        _answers(day, effort, _CES, 1),
        rows(Kind.IDEA, day.when(ideas), ideas, day.person(ideas), day.below(16, len(ideas))),
        rows(
            Kind.REVIEWED,
            day.when(reviews),
            reviews,
            day.person(reviews),
            4 + day.below(2, len(reviews)),
            day.below(16, len(reviews)),
        ),
        rows(Kind.REFERRED, day.when(referrals), referrals, day.person(referrals)),
    ]


def _answers(day: Day, who: Ints, metric: int, nth: int) -> Rows:
    mood = day.people.mood[who] + day.weather.mood[who] + 1.3 * day.chance.standard_normal(len(who))
    tenth = np.clip(mood, 0, 10)
    score = np.round(tenth if metric == _NPS else 1 + tenth * 0.6).astype(np.int64)
    comment = np.where(day.chance.random(len(who)) < 0.5, day.below(60, len(who)), -1)
    return rows(Kind.ANSWERED, day.when(who), who, metric, score, np.minimum(nth, day.used[who] - 1), comment)


def touches(day: Day) -> list[Rows]:
    """Meetings, trainings, reviews and, before a purchase, demos and content."""
    who = day.happens(np.where(day.living, day.people.touches * day.worked, 0.0))
    luck = day.chance.random(len(who))
    trying = ~day.paying[who]
    kind = np.where(trying, np.searchsorted(_TRYING, luck), np.searchsorted(_CUSTOMER, luck))
    return [rows(Kind.TOUCHED, day.when(who), who, np.minimum(kind, len(TOUCHES) - 1), day.below(6, len(who)))]


_CUSTOMER = np.cumsum([0.5, 0.2, 0.12, 0.0, 0.13, 0.05, 0.0])
_TRYING = np.cumsum([0.12, 0.05, 0.0, 0.33, 0.2, 0.2, 0.1])
