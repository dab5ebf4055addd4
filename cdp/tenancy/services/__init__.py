"""Changes to organizations, sandboxes, credentials, write keys and roles."""
