"""Kinds of source: what can be read from somebody else's system. Knows no rows of ours."""
