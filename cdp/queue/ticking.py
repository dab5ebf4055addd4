"""The tick of each second: whatever wake-up was lost or never sent is made good here."""

import structlog

from cdp.queue import broker
from cdp.queue.periodic import send_due
from cdp.queue.subscriptions import find_subscription, subscribed_topics
from cdp.queue.taking import is_due
from cdp.queue.waking import wake

log = structlog.get_logger(__name__)


def tick() -> None:
    """Wake each topic that has something to claim, and send for the periodic work that is due."""
    for topic in subscribed_topics():
        subscription = find_subscription(topic)
        if subscription and is_due(subscription):
            wake(topic)
    try:
        send_due()
    except broker.AWAY as error:
        log.warning("broker_away", error=str(error))
