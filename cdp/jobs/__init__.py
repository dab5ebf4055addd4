"""Long work that reports progress and can be cancelled."""
