"""Rows of datasets, a file for each subject; Django finds them here."""

from cdp.datasets.models.batches import Batch, BatchFile
from cdp.datasets.models.datasets import Dataset
from cdp.datasets.models.inlets import Inlet, InletDataset
from cdp.datasets.models.receipts import Receipt, RejectedRecord
from cdp.datasets.models.sources import (
    Connection,
    Flow,
    FlowRun,
    ForwardingRule,
    LandedFile,
    MappingSet,
    MappingVersion,
)

__all__ = [
    "Batch",
    "BatchFile",
    "Connection",
    "Dataset",
    "Flow",
    "FlowRun",
    "ForwardingRule",
    "Inlet",
    "InletDataset",
    "LandedFile",
    "MappingSet",
    "MappingVersion",
    "Receipt",
    "RejectedRecord",
]
