"""What the stages on the way of an event have left to do."""

import re
import time

import httpx

from benchmarks.report import progress

STAGES = {
    "records.received",
    "profiles.changed",
    "memberships.changed",
    "segments.evaluation-wanted",
}


def wait_until_quiet(url: str) -> None:
    """Return when no stage on the way has anything left to do."""
    while True:
        told = httpx.get(f"{url}/metrics", timeout=60).text
        waiting = re.findall(r'^cdp_queue_records\{topic="([^"]+)"\} (\S+)$', told, re.M)
        left = {topic: float(records) for topic, records in waiting if topic in STAGES}
        if not sum(left.values()):
            return
        progress(", ".join(f"{topic} {records:,.0f}" for topic, records in left.items() if records))
        time.sleep(0.5)
