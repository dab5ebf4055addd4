"""The Adobe Web SDK's protocol: what a browser asks and what it is told. Pure."""
