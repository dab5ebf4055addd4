"""Which people: rules and their members."""
