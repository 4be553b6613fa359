"""The changelog as a Faust table: Faust assigns and replays it, the lane knows what it means."""

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from aiokafka.structs import TopicPartition
from faust.tables.table import Table
from faust.types import TP

from streams.lane.memory import give_back
from streams.lane.records import ParcelSchema

if TYPE_CHECKING:
    from streams.lane.app import LaneApp

log = logging.getLogger(__name__)


class ChangelogTable(Table[Any, Any]):
    """No mapping, no store: rows live in the engine's columns."""

    app: "LaneApp"

    def __init__(self, app: "LaneApp", *, topic: str, partitions: int, **options: Any) -> None:
        super().__init__(
            app,
            name="accounts",
            partitions=partitions,
            changelog_topic=app.topic(topic, schema=ParcelSchema(), partitions=partitions, acks=False),
            recovery_buffer_size=4,
            **options,
        )
        self._began = monotonic()

    async def on_start(self) -> None:
        """Nothing to open; `kesher topics` makes the topic."""

    def persisted_offset(self, tp: TP) -> int | None:
        """Recovery reads on from here: a rebalance replays only what was written since."""
        return self.app.lane.applied(tp.partition)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Open a reign in every partition, before recovery looks how far it must read."""
        self._began = monotonic()
        self.app.consumer.idle.set()
        mine = {tp.partition for tp in assigned if tp.topic == self.changelog_topic.get_topic_name()}
        try:
            await self.app.lane.assigned(mine)
        except Exception as error:
            await self.app.fail(error)
            raise

    def apply_changelog_batch(self, batch: Any) -> None:
        """Called during recovery; Faust only logs what is raised here, so it is told to stop instead."""
        try:
            for event in batch:
                for span in event.value.spans:
                    self.app.lane.restore(span.partition, span.records)
        except Exception as error:
            self.app.add_future(self.app.fail(error))
            raise

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Settle what is owed and say where to read on; Faust then seeks and lets the sources flow."""
        try:
            await self._complete({tp for tp in active_tps if tp.topic == self.changelog_topic.get_topic_name()})
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self.app.fail(error)
            raise

    async def _complete(self, changelogs: set[TP]) -> None:
        app, lane, thread = self.app, self.app.lane, self.app.consumer.thread
        epoch = lane.epoch
        if not lane.followed:
            return  # Faust lets what an older assignment began run on into the next one
        await thread.hold((TopicPartition(*tp) for tp in changelogs), lambda: lane.epoch == epoch)
        tps = [TopicPartition(topic, number) for topic in lane.terms.topics for number in lane.ledgers]
        ids, logs = await asyncio.gather(app.ids(), thread.logs(tps))
        places = {(lane.source[tp.topic], tp.partition): place for tp, place in logs.items()}
        await lane.recovered(ids, places, epoch)
        give_back()
        seconds = monotonic() - self._began
        lane.meter.recovered(len(lane.ledgers), seconds)
        log.info("%d partitions with %d accounts read in %.1f s", len(lane.ledgers), len(lane.engine.accounts), seconds)
