"""The read model and the console's own records, as SQLModel tables."""

from schemas.tables.access import ApiKey, LoginLink, Session, User
from schemas.tables.portfolio import Account, Activity, HealthPoint, Member, NextOffset, Signal, StageChange

__all__ = [
    "Account",
    "Activity",
    "ApiKey",
    "HealthPoint",
    "LoginLink",
    "Member",
    "NextOffset",
    "Session",
    "Signal",
    "StageChange",
    "User",
]
