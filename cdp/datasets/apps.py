"""Wiring of datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Datasets, the doors that records come through, and the records' fate."""

    name = "cdp.datasets"
    label = "datasets"

    def ready(self) -> None:
        """Say who reads each form of request, who works on batches, and which inlets there are."""
        from cdp import queue
        from cdp.api.registries import inlet_lookups
        from cdp.datasets.decoders import chunk, edge, plain, segment, xdm
        from cdp.datasets.decoding import register
        from cdp.datasets.forwarding.streams import stream
        from cdp.datasets.forwarding.webhooks import forward
        from cdp.datasets.selectors import inlet_exists
        from cdp.datasets.services.batch_work import work_on_batches
        from cdp.datasets.services.flow_work import read_sources, start_due
        from cdp.datasets.services.sandboxes import (
            copy_datasets,
            count_datasets,
            forget_datasets,
        )
        from cdp.datasets.services.tidying import forget_deleted, tidy
        from cdp.datasets.sources import analytics, files, odata, rest, salesforce, sql
        from cdp.datasets.sources.registry import register as register_source
        from cdp.datasets.topics import (
            BATCHES_LOADED,
            DATASETS_DELETED,
            FLOW_RUNS,
            FLOWS_DUE,
            RECORDS_FORWARDED,
            RECORDS_STREAMED,
        )
        from cdp.queue.subscriptions import LONG_WORK
        from cdp.tenancy import sandboxes

        sandboxes.register(
            "datasets",
            sandboxes.SandboxHandler(
                reset=forget_datasets, copy=copy_datasets, count=count_datasets
            ),
        )
        register("chunk", chunk.decode)
        register("edge", edge.decode)
        register("plain", plain.decode)
        register("xdm", xdm.decode)
        register("segment", segment.decode)
        inlet_lookups.register("datasets", inlet_exists)
        queue.subscribe(BATCHES_LOADED, work_on_batches, batch=1, lane=LONG_WORK)
        queue.subscribe(DATASETS_DELETED, forget_deleted, batch=10, lane=LONG_WORK)
        queue.subscribe(RECORDS_FORWARDED, forward, batch=20)
        queue.subscribe(RECORDS_STREAMED, stream, batch=200, exclusive=True)
        queue.subscribe(FLOWS_DUE, start_due)
        queue.subscribe(FLOW_RUNS, read_sources, batch=1, lane=LONG_WORK)
        for source_type in (
            analytics.AnalyticsDataFeed,
            files.Files,
            odata.DynamicsContacts,
            odata.OData,
            rest.RestApi,
            salesforce.Salesforce,
            sql.SqlDatabase,
        ):
            register_source(source_type)
        queue.every(3_600, "datasets.tidy", tidy, lane=LONG_WORK)
