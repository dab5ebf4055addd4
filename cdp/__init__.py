"""The platform: wiring on top, kernel at the bottom, schemas and datasets between."""
