"""Changes to segments and to who is in them."""
