"""Commands of tenancy."""
