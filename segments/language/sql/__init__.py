"""Rules as ClickHouse SQL: the reader for populations.

`scan.py` turns many rules into one statement. `conditions.py` and `operands.py` write
single conditions and values, seen from a `frame` (a profile, an event, an item of an
array, a look-up entity). `passes.py` collects what has to be counted over events.
Only this package makes SQL text; what users wrote goes in as parameters.
"""
