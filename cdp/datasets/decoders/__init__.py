"""One decoder for each form in which the doors write requests down; `apps.py` registers them."""
