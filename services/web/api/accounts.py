"""GET /api/accounts and /api/accounts/{account_id}."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from schemas.api.portfolio import AccountDetail, AccountPage
from schemas.envelope import check_account
from schemas.errors import InvalidEvent
from services.adapters.problems import fault
from services.web.api import reads
from services.web.api.asked import AccountAsked, AccountsAsked
from services.web.contract import MISSING
from services.web.parts import Parts, parts

router = APIRouter(tags=["accounts"])


@router.get("/api/accounts", operation_id="list_accounts")
async def list_accounts(asked: Annotated[AccountsAsked, Query()], web: Annotated[Parts, Depends(parts)]) -> AccountPage:
    """The portfolio, worst health first unless `sort` says otherwise, a page at a time.  Pages joined by `next` hold
    each account once, as long as it keeps its place in the order."""
    async with reads.snapshot(web.pool) as connection:
        cursor = await reads.applied(connection, web.settings.prefix)
        rows, after = await reads.accounts(connection, asked)
        total = await reads.count(connection, asked) if asked.count else None
    return AccountPage.model_validate(
        {"accounts": rows_as_dicts(rows), "next": after, "total": total, "cursor": cursor}
    )


@router.get("/api/accounts/{account_id:path}", operation_id="get_account", responses=MISSING)
async def get_account(
    account_id: str, asked: Annotated[AccountAsked, Query()], web: Annotated[Parts, Depends(parts)]
) -> AccountDetail:
    """Everything about one account.  The id stands percent-encoded in the path; it may hold slashes and any script."""
    check_known(account_id)
    async with reads.snapshot(web.pool) as connection:
        found = await reads.account(connection, account_id)
        if found is None:
            raise unknown(account_id)
        answer = {
            **found,
            "cursor": await reads.applied(connection, web.settings.prefix),
            "history": rows_as_dicts(await reads.history(connection, account_id, asked.since, asked.points)),
            "signals": rows_as_dicts(await reads.account_signals(connection, account_id)),
            "stages": rows_as_dicts(await reads.stages(connection, account_id)),
            "activities": rows_as_dicts(await reads.activities(connection, account_id)),
        }
    return AccountDetail.model_validate(answer)


def check_known(account_id: str) -> None:
    """404 for what cannot be an account's id, without asking Postgres, which takes no NUL."""
    try:
        check_account(account_id.encode())
    except InvalidEvent as error:
        raise fault(404, f"there is no such account: {error}") from None


def unknown(account_id: str) -> Exception:
    """404 for an account that nothing was said about yet."""
    detail = f"there is no account {account_id!r}; one appears with the first fact about it"
    return fault(404, detail)


def rows_as_dicts(rows: reads.Rows) -> list[dict[str, object]]:
    """Records -> what pydantic reads."""
    return [dict(row) for row in rows]
