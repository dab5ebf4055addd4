"""Answering rules: for profiles in hand (`few.py`), and for everybody (`whole.py`).

PostgreSQL decides. `Profile.segments` says who is in; it changes under the lock of
`turns.py` only, together with the news (`telling.py`). The event store follows: the
log of who entered and who left, and the members as bitmaps (`log.py`).
"""
