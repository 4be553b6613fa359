"""Surveys, ideas, reviews and referrals."""

from typing import Literal

from schemas.events.catalog import Data, EventType, Id, Number, Text
from schemas.topics import FEEDBACK


class Survey(Data):
    """An answer: nps 0-10, csat 1-5, ces 1-7; `direction` says which end of a ces is good."""

    metric: Literal["nps", "csat", "ces"]
    score: Number
    direction: Literal["higher_is_better", "lower_is_better"] = "higher_is_better"
    survey: Text | None = None
    respondent: Id | None = None
    comment: Text | None = None


class Voice(Data):
    """Something a customer said or did for us without being asked for a score."""

    respondent: Id | None = None
    score: Number | None = None
    comment: Text | None = None


EVENTS = (
    EventType("kesher.feedback.survey_answered", Survey, FEEDBACK),
    *(
        EventType(f"kesher.feedback.{what}", Voice, FEEDBACK)
        for what in ("idea_submitted", "review_posted", "referral_made")
    ),
)
