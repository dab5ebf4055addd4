"""Topics of the durable queue that this app speaks on."""

from typing import Final

RECORDS_RECEIVED: Final = "records.received"
BATCHES_LOADED: Final = "batches.loaded"
BATCHES_REVERTED: Final = "batches.reverted"
DATASETS_DELETED: Final = "datasets.deleted"
"""Payload: `dataset`, and `batches`: some of those that had brought its rows."""
FLOWS_DUE: Final = "flows.due"
FLOW_RUNS: Final = "flows.run"
RECORDS_FORWARDED: Final = "records.forwarded"
RECORDS_STREAMED: Final = "records.streamed"
EVENTS_EXPIRED: Final = "events.expired"
"""Payload: `dataset`, `before` (milliseconds), and `identities` that had sent events until then."""
