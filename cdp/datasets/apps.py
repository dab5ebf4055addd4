"""Wiring of datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Datasets, the doors that records come through, and the records' fate."""

    name = "cdp.datasets"
    label = "datasets"

    def ready(self) -> None:
        """Say who reads each form of request, and which inlets there are."""
        from cdp.api.registries import inlet_lookups
        from cdp.datasets.decoders import edge, plain, segment, xdm
        from cdp.datasets.decoding import register
        from cdp.datasets.selectors import inlet_exists

        register("edge", edge.decode)
        register("plain", plain.decode)
        register("xdm", xdm.decode)
        register("segment", segment.decode)
        inlet_lookups.register("datasets", inlet_exists)
