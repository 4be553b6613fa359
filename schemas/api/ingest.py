"""What the ingest door answers."""

from pydantic import BaseModel, Field


class Rejection(BaseModel):
    """An item that was not taken: its place in the batch from 0, the field at fault if one is, and what to do."""

    index: int
    id: str | None = None
    field: str | None = None
    reason: str


class Receipt(BaseModel):
    """What became of the items of a request."""

    success: bool = Field(description="Kafka has every item that was not rejected or ignored")
    accepted: int = Field(description="Items that Kafka has acknowledged")
    rejected: list[Rejection] = Field(default=[], description="Items that break a rule; sending them again is no use")
    ignored: list[Rejection] = Field(default=[], description="Items that are understood but have no effect yet")
    unacknowledged: list[Rejection] = Field(
        default=[], description="Items that Kafka may or may not have; send them again with the same id"
    )
