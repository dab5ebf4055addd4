"""Messages of Segment-compatible trackers, and how they become XDM. Pure."""
