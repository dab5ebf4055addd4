"""Who owns what: organizations, sandboxes, credentials, roles, and the fences between them."""
