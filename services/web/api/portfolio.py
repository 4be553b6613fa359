"""GET /api/portfolio: the figures above the list."""

from collections import Counter
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Query

from schemas.api.portfolio import Band, Family, Portfolio
from services.web.api import reads
from services.web.api.asked import PortfolioAsked
from services.web.parts import Parts, parts

router = APIRouter(tags=["accounts"])


@router.get("/api/portfolio", operation_id="get_portfolio")
async def get_portfolio(asked: Annotated[PortfolioAsked, Query()], web: Annotated[Parts, Depends(parts)]) -> Portfolio:
    """How many accounts are in each band and stage, their MRR, how much of it is at risk, and the open signals."""
    async with reads.snapshot(web.pool) as connection:
        cursor = await reads.applied(connection, web.settings.prefix)
        groups = await reads.groups(connection, asked.owner)
        families = await reads.open_signals(connection, asked.owner)
    return summed(groups, families, cursor)


def summed(groups: reads.Rows, families: reads.Rows, cursor: str) -> Portfolio:
    """Groups of accounts by band and stage -> one portfolio; every band and family is named, even with 0."""
    bands: Counter[str] = Counter(dict.fromkeys(get_args(Band), 0))
    stages: Counter[str] = Counter()
    for group in groups:
        bands[group["band"]] += group["accounts"]
        if group["stage"] is not None:
            stages[group["stage"]] += group["accounts"]
    signals = {**dict.fromkeys(get_args(Family), 0), **{row["family"]: row["signals"] for row in families}}
    return Portfolio.model_validate(
        {
            "accounts": bands.total(),
            "bands": bands,
            "stages": stages,
            "mrr": sum(group["mrr"] for group in groups),
            "mrr_at_risk": sum(group["mrr_at_risk"] for group in groups),
            "open_signals": signals,
            "cursor": cursor,
        }
    )
