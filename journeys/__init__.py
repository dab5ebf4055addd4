"""Acting on people over time."""
