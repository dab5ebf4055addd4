"""The HTTP doors: what speaks the clients' protocols, outside `/api/v1/`."""
