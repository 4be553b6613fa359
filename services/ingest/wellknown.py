"""Names of `track` events that mean more than usage, and where their fields are found.

Names are compared without case, and `_` is a space: `Order Completed`, `order_completed`.  Property and trait names are
compared without case, `_`, `-` and spaces.  Every other name is kesher.usage.tracked."""

from collections.abc import Mapping
from dataclasses import dataclass

Fields = Mapping[str, tuple[str, ...]]
"""A field of the event's data -> the properties it is read from, the first that is present wins."""

_PRICE: Fields = {"amount": ("revenue", "total", "amount", "value"), "currency": ("currency",)}
_REFUND: Fields = {"amount": ("total", "amount", "revenue", "value"), "currency": ("currency",), "reason": ("reason",)}
_PLAN: Fields = {
    **_PRICE,
    "mrr": ("mrr", "monthlyspend"),
    "seats": ("seats", "quantity"),
    "plan": ("plan", "planname", "trialplanname"),
    "renews_at": ("renewsat", "renewaldate", "trialenddate", "currentperiodend"),
    "reason": ("reason", "cancellationreason"),
}
_TICKET: Fields = {
    "ticket": ("ticket", "ticketid", "id"),
    "priority": ("priority",),
    "channel": ("channel",),
    "cost": ("cost",),
    "currency": ("currency",),
}
_SURVEY: Fields = {
    "metric": ("metric", "surveytype"),
    "score": ("score",),
    "direction": ("direction",),
    "survey": ("survey", "surveyid"),
    "respondent": ("respondent",),
    "comment": ("comment",),
}

PROFILE: Fields = {
    "name": ("name",),
    "plan": ("plan",),
    "segment": ("segment", "industry"),
    "owner": ("owner", "accountowner", "csm"),
    "seats_bought": ("seatsbought", "seats"),
    "seats_used": ("seatsused",),
    "renews_at": ("renewsat", "renewaldate"),
    "crm": ("crm",),
}
"""Traits of a group -> kesher.profile.updated."""


@dataclass(frozen=True)
class Meaning:
    """The Kesher type of a well-known name; `person` is the data's field that takes the acting user, if any."""

    type: str
    fields: Fields
    person: str | None = None


MEANINGS: dict[str, Meaning] = {
    "order completed": Meaning("kesher.purchase.order_placed", _PRICE),
    "order refunded": Meaning("kesher.purchase.refund_issued", _REFUND),
    "invoice paid": Meaning("kesher.purchase.invoice_paid", _PLAN),
    "payment failed": Meaning("kesher.purchase.payment_failed", _PLAN),
    "trial started": Meaning("kesher.purchase.trial_started", _PLAN),
    "subscription started": Meaning("kesher.purchase.subscription_started", _PLAN),
    "subscription updated": Meaning("kesher.purchase.subscription_changed", _PLAN),
    "subscription changed": Meaning("kesher.purchase.subscription_changed", _PLAN),
    "subscription cancelled": Meaning("kesher.purchase.subscription_cancelled", _PLAN),
    "subscription canceled": Meaning("kesher.purchase.subscription_cancelled", _PLAN),
    "ticket opened": Meaning("kesher.support.ticket_opened", _TICKET),
    "ticket reopened": Meaning("kesher.support.ticket_reopened", _TICKET),
    "ticket resolved": Meaning("kesher.support.ticket_resolved", _TICKET),
    "survey answered": Meaning("kesher.feedback.survey_answered", _SURVEY, "respondent"),
    "limit reached": Meaning("kesher.usage.limit_reached", {"name": ("limit", "name", "feature")}, "user"),
    "account added user": Meaning("kesher.profile.member_added", {"role": ("role",)}, "user"),
    "account removed user": Meaning("kesher.profile.member_removed", {"role": ("role",)}, "user"),
}


def meaning(event: str) -> Meaning | None:
    """What a track event's name stands for, None when it is plain usage."""
    return MEANINGS.get(" ".join(event.replace("_", " ").split()).casefold())


def picked(fields: Fields, given: Mapping[str, object]) -> dict[str, object]:
    """The data's fields as found in properties or traits; absent and null ones are left out."""
    plain = {_plain(name): value for name, value in given.items() if value is not None}
    found = {field: [plain[name] for name in names if name in plain] for field, names in fields.items()}
    return {field: _spelled(field, values[0]) for field, values in found.items() if values}


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").casefold()


def _spelled(field: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return {"currency": str.upper, "priority": str.lower, "metric": str.lower}.get(field, str)(value.strip())
