"""Sending people and segments out."""
