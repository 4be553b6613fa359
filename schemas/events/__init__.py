"""The six input families and the facts, as typed CloudEvents data.

`INPUTS` maps each input type to the struct of its data and the topic it travels on."""

from schemas.events import feedback, profile, purchases, support, touchpoint, usage
from schemas.events.catalog import EventType

INPUTS: dict[str, EventType] = {
    event.name: event
    for family in (usage, purchases, support, feedback, touchpoint, profile)
    for event in family.EVENTS
}
"""Event type (`kesher.usage.tracked`) -> its data and topic."""
