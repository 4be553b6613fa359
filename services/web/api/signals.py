"""GET /api/signals."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from schemas.api.portfolio import SignalPage
from services.web.api import reads
from services.web.api.asked import SignalsAsked
from services.web.parts import Parts, parts

router = APIRouter(tags=["signals"])


@router.get("/api/signals", operation_id="list_signals")
async def list_signals(asked: Annotated[SignalsAsked, Query()], web: Annotated[Parts, Depends(parts)]) -> SignalPage:
    """Episodes of churn risk and upsell, newest first, a page at a time."""
    async with reads.snapshot(web.pool) as connection:
        cursor = await reads.applied(connection, web.settings.prefix)
        rows, after = await reads.signals(connection, asked)
    return SignalPage.model_validate({"signals": [dict(row) for row in rows], "next": after, "cursor": cursor})
