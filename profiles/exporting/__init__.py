"""Handing profiles out: to a file, or to a dataset."""
