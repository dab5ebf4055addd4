"""Segments whose members come from files: reading rows, keeping them, letting them run out."""
