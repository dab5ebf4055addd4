"""Datasets in the operators' console: to look at, not to change."""
