"""Every Kafka topic, named once.  Full names are `<prefix>.<name>`; the prefix is a setting.

All but `scorecards` share one partition count, so that an account has the same partition number everywhere."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a topic is for; decides its cleanup policy and who may write to it."""

    INPUT = "input"
    FACT = "fact"
    DEAD_LETTER = "dead-letter"
    CHANGELOG = "changelog"
    CONFIGURATION = "configuration"


@dataclass(frozen=True)
class Topic:
    """A topic without its prefix."""

    name: str
    role: Role
    about: str

    def full(self, prefix: str) -> str:
        """The name on the broker."""
        return f"{prefix}.{self.name}"

    @property
    def compacted(self) -> bool:
        """Keeps the last record of each key instead of a span of time."""
        return self.role in (Role.CHANGELOG, Role.CONFIGURATION)


USAGE = Topic("usage", Role.INPUT, "what people do in the product")
PURCHASES = Topic("purchases", Role.INPUT, "orders, invoices, subscriptions")
SUPPORT = Topic("support", Role.INPUT, "tickets")
FEEDBACK = Topic("feedback", Role.INPUT, "surveys, ideas, reviews, referrals")
TOUCHPOINTS = Topic("touchpoints", Role.INPUT, "meetings, content, marketing")
PROFILES = Topic("profiles", Role.INPUT, "who the account is and who belongs to it")
MERGES = Topic("merges", Role.INPUT, "the scorer's own source for account merges")

HEALTH = Topic("health", Role.FACT, "health.changed")
LIFECYCLE = Topic("lifecycle", Role.FACT, "lifecycle.changed")
CHURN_RISK = Topic("churn-risk", Role.FACT, "churn_risk.raised, escalated, cleared")
UPSELL = Topic("upsell", Role.FACT, "upsell.raised, cleared")

DEAD_LETTERS = Topic("dead-letters", Role.DEAD_LETTER, "records that could not be read, with the reason")
CHANGELOG = Topic("changelog", Role.CHANGELOG, "the scorer's rows and, in their headers, the facts they tell")
SCORECARDS = Topic("scorecards", Role.CONFIGURATION, "scorecard versions")

SOURCES = (USAGE, PURCHASES, SUPPORT, FEEDBACK, TOUCHPOINTS, PROFILES, MERGES)
"""The scorer's co-partitioned sources.  The order is part of every row (`offsets`): append only."""
INPUTS = SOURCES[:-1]
FACTS = (HEALTH, LIFECYCLE, CHURN_RISK, UPSELL)
TOPICS = (*SOURCES, *FACTS, DEAD_LETTERS, CHANGELOG, SCORECARDS)
