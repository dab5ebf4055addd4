"""What the product costs, each against a reference measured in the same run.

`python -m benchmarks.<name> --json` prints one JSON object a line; `make bench` runs all.
"""
