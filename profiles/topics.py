"""Topics of the durable queue that this app speaks on."""

from typing import Final

PROFILES_CHANGED: Final = "profiles.changed"
"""Payload: `profiles`, the ids that changed; `vanished`, pairs of a merged id and its survivor."""
BATCHES_DECIDED: Final = "batches.decided"
"""Payload: `batch`, the id of an ingest batch that somebody must bring into the event store."""
GRAPHS_OUTDATED: Final = "graphs.outdated"
"""Payload: `after`, the identity behind which graphs are still to be judged by new rules."""
SNAPSHOTS_OUTDATED: Final = "snapshots.outdated"
"""Payload: `after`, the profile behind which snapshots are still to be taken anew."""
PROFILES_EMPTIED: Final = "profiles.emptied"
"""Payload: `profiles`, the ids that may be nobody's now, after something was removed."""
COMPUTED_OUTDATED: Final = "computed.outdated"
"""Payload: `after`, the profile behind which computed attributes are still to be worked out."""
