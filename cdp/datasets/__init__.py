"""Where data comes in: datasets, the doors that records come through, and their fate."""
