"""Resources of tenancy: organizations, sandboxes, who may do what, and what was done."""
