"""Webhooks: signed HTTP requests to a server of the tenant's choice."""
