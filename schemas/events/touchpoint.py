"""Contacts between the account and the company."""

from schemas.events.catalog import Data, EventType, Text
from schemas.topics import TOUCHPOINTS


class Touchpoint(Data):
    """`kind` is ad, site, content, demo_request, proposal, meeting, training, qbr or the user's own word."""

    kind: Text
    channel: Text | None = None
    by: Text | None = None


EVENTS = (EventType("kesher.touchpoint.seen", Touchpoint, TOUCHPOINTS),)
