"""Taking things back: batches, profiles, everything held on a person, and what is left of nobody."""
