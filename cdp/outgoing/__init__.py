"""The one way out to other people's servers: checked addresses, limits, no redirects."""
