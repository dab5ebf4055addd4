"""Stored graphs: reading the part that a change touches, and writing what it changes.

One lock for each sandbox, a fixed number of statements for any number of links.
"""
