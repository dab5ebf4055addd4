"""What can be done to identities, profiles and their settings."""
