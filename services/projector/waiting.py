"""Waiting that ends early when the process is told to stop."""

import asyncio
from datetime import timedelta


async def wait(span: timedelta, stopping: asyncio.Event) -> None:
    """The span, or less."""
    try:
        await asyncio.wait_for(stopping.wait(), span.total_seconds())
    except TimeoutError:
        return
