"""Attributes that are worked out of a person's events, such as what she has spent in a year."""
