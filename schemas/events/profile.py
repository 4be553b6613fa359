"""Who the account is, and who belongs to it."""

from schemas.events.catalog import Count, Data, EventType, Id, Moment, Text
from schemas.topics import PROFILES


class Profile(Data):
    """What is known of an account; a field that is absent stays as it was."""

    name: Text | None = None
    plan: Text | None = None
    segment: Text | None = None
    owner: Text | None = None
    seats_bought: Count | None = None
    seats_used: Count | None = None
    renews_at: Moment | None = None
    crm: dict[str, Id] | None = None


class Member(Data):
    """A person who joined or left the account; `role` such as champion, owner, admin, user."""

    user: Id
    role: Text | None = None


EVENTS = (
    EventType("kesher.profile.updated", Profile, PROFILES),
    EventType("kesher.profile.member_added", Member, PROFILES),
    EventType("kesher.profile.member_removed", Member, PROFILES),
)
