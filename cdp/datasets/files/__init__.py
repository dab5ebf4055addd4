"""Reading files of rows: as streams, never whole in memory. Pure but for `storage`."""
