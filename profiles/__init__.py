"""One person: identities, the fragments said about them, and the merged view."""
