"""Judging all rows of a batch before any is stored."""
