"""The operators' console: Django admin with every tenant's rows in view."""
