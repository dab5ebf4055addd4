"""Answering rules: for the profiles that changed, and for everybody."""
