"""Wiring of datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Datasets, the doors that records come through, and the records' fate."""

    name = "cdp.datasets"
    label = "datasets"
