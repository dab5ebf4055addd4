"""Rows of datasets, a file for each subject; Django finds them here."""

from cdp.datasets.models.batches import Batch, BatchFile
from cdp.datasets.models.datasets import Dataset
from cdp.datasets.models.inlets import Inlet, InletDataset
from cdp.datasets.models.receipts import Receipt, RejectedRecord

__all__ = [
    "Batch",
    "BatchFile",
    "Dataset",
    "Inlet",
    "InletDataset",
    "Receipt",
    "RejectedRecord",
]
