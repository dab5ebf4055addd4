"""Changes to datasets, inlets and what came in."""
