"""The ingest worker: from a door's requests to stored, stitched people, each record once.

Three phases, and a crash at any instruction goes on with the same batch:
1. `decide.py`, one transaction: which rows of the queue form the batch, what is a
   duplicate, who is who; the rows for the event store are written down, packed.
2. `store.py`: those rows go into the event store under the batch's token.
3. `settle.py`, one transaction: the news is published, receipts are written, the
   rows of the queue are removed.

`worker.py` runs the three; `batches.py` finishes what somebody has decided.
"""
