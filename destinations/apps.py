"""Wiring of destinations."""

from django.apps import AppConfig


class DestinationsConfig(AppConfig):
    """Sending people and segments out."""

    name = "destinations"
    label = "destinations"

    def ready(self) -> None:
        """Register the connectors, take news and work off the queue, answer those below."""
        from cdp import queue
        from cdp.queue.subscriptions import LONG_WORK
        from cdp.tenancy import sandboxes
        from destinations import selectors, uses
        from destinations.connectors import registry
        from destinations.connectors.csv_file.connector import CsvFileConnector
        from destinations.connectors.webhook.connector import WebhookConnector
        from destinations.receivers import on_memberships_changed
        from destinations.services import erasing
        from destinations.services.delivering import deliver_due
        from destinations.services.filing import write_due_file
        from destinations.services.sandboxes import count_destinations, forget_destinations
        from destinations.services.tidying import tidy
        from destinations.topics import DELIVERIES_DUE, FILES_DUE
        from governance.uses import register as register_uses
        from profiles.registries import personal_data
        from segments import dependents
        from segments.services.lifecycle import check_uses_with
        from segments.topics import MEMBERSHIPS_CHANGED

        registry.register(WebhookConnector)
        registry.register(CsvFileConnector)
        queue.subscribe(
            MEMBERSHIPS_CHANGED, on_memberships_changed, records=20_000, then=DELIVERIES_DUE
        )
        queue.subscribe(DELIVERIES_DUE, deliver_due, batch=100, records=2_000)
        queue.subscribe(FILES_DUE, write_due_file, batch=1, lane=LONG_WORK)
        queue.every(3_600, "destinations.tidy", tidy, lane=LONG_WORK)
        personal_data.register("destinations", erasing.personal_data)
        register_uses("activations", uses.standing_uses)
        dependents.register("activations", selectors.list_segment_uses)
        check_uses_with(uses.check_segment)
        sandboxes.register(
            "destinations",
            sandboxes.SandboxHandler(
                reset=forget_destinations, erase=erasing.erase_person, count=count_destinations
            ),
        )
