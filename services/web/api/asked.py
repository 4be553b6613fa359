"""What a caller may ask, as query parameters.  One that does not exist is refused: it is a slip of the pen."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.api.portfolio import Band, Family

Text = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00]*$")]
Texts = Annotated[list[Text], Field(max_length=100)]
Limit = Annotated[int, Field(ge=1, le=200, description="Rows of a page")]
After = Annotated[str | None, Field(description="The `next` of the page before")]
Points = Annotated[float, Field(ge=0, le=100)]
AccountOrder = Literal[
    "score", "-score", "name", "-name", "mrr", "-mrr", "renews_at", "-renews_at", "changed_at", "-changed_at"
]


def _zoned(moment: datetime) -> datetime:
    """Without a zone a time is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_zoned)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Filters(_Asked):
    """Which accounts; several values of one parameter mean any of them, several parameters mean all of them."""

    band: Annotated[list[Band], Field(max_length=10)] = []
    stage: Texts = []
    segment: Texts = []
    plan: Texts = []
    owner: Annotated[
        Texts, Field(description="E-mail or name as in the profile; empty: accounts without an owner")
    ] = []
    signal: Annotated[
        str | None,
        Field(
            pattern=r"^(churn_risk|upsell)(/[^\x00]+)?$",
            max_length=256,
            description="Accounts with an open signal of this family, or family/kind",
        ),
    ] = None
    q: Annotated[Text | None, Field(description="Part of the name or the id; case does not matter")] = None
    min_score: Points | None = None
    max_score: Points | None = None


class AccountsAsked(Filters):
    """A page of accounts."""

    sort: Annotated[
        AccountOrder, Field(description="`score` is worst first; a minus turns it round; unknown values come last")
    ] = "score"
    limit: Limit = 50
    after: After = None
    count: Annotated[bool, Field(description="Also count all accounts that match")] = False


class SignalsAsked(_Asked):
    """A page of signals, newest first."""

    family: Family | None = None
    kind: Text | None = None
    open: Annotated[bool | None, Field(description="true: not cleared yet; false: cleared; absent: both")] = None
    owner: Texts = []
    account: Texts = []
    limit: Limit = 50
    after: After = None


class PortfolioAsked(_Asked):
    """The whole portfolio, or some owners' part."""

    owner: Texts = []


class AccountAsked(_Asked):
    """How much history of an account."""

    since: Annotated[Moment | None, Field(description="History from here on; all of it when absent")] = None
    points: Annotated[
        int, Field(ge=2, le=2_000, description="At most so many points of history, evenly spread over its time")
    ] = 400


class StreamAsked(_Asked):
    """Which changes, and from where on."""

    cursor: Annotated[
        str | None, Field(description="The `cursor` of an answer; absent: from now on.  Last-Event-ID goes before it")
    ] = None
    owner: Texts = []
    account: Texts = []
    event: Annotated[list[Literal["health", "lifecycle", "churn_risk", "upsell"]], Field(max_length=4)] = []
