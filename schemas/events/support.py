"""Tickets."""

from typing import Literal

from schemas.events.catalog import Currency, Data, EventType, Id, Money
from schemas.topics import SUPPORT


class Ticket(Data):
    """One ticket, as it stands after the event."""

    ticket: Id | None = None
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    channel: Literal["chat", "chatbot", "social", "messenger", "email", "video", "voice"] | None = None
    cost: Money | None = None
    currency: Currency | None = None


EVENTS = tuple(
    EventType(f"kesher.support.{what}", Ticket, SUPPORT)
    for what in ("ticket_opened", "ticket_reopened", "ticket_resolved", "sla_breached")
)
