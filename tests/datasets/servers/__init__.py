"""Servers that sources are read from: each speaks its protocol for real, on loopback."""
