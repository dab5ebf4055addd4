"""Mapping of foreign rows to XDM: a small expression language and sets of rules.

Pure: values in, values out. Knows no Django.
"""
