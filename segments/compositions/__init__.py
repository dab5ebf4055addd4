"""Segments that are put together from others: who, in which order, and into which branches.

Pure: a definition is read from its tree, checked, and compiled into one rule for each
segment that results. What rules cannot say, a share of the people and a rank among them,
is asked of the event store by name (`names.py`).
"""
