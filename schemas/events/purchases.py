"""Orders, invoices and subscriptions.  Money without a currency is in the base currency."""

from schemas.events.catalog import Count, Currency, Data, EventType, Moment, Money, Text
from schemas.topics import PURCHASES


class Purchase(Data):
    """Money that moved, or a subscription as it stands now."""

    amount: Money | None = None
    currency: Currency | None = None
    mrr: Money | None = None
    seats: Count | None = None
    plan: Text | None = None
    renews_at: Moment | None = None
    reason: Text | None = None


EVENTS = tuple(
    EventType(f"kesher.purchase.{what}", Purchase, PURCHASES)
    for what in (
        "order_placed",
        "invoice_paid",
        "payment_failed",
        "refund_issued",
        "trial_started",
        "subscription_started",
        "subscription_changed",
        "subscription_cancelled",
    )
)
