"""Sending on what inlets take, as rows of the queue first."""
