"""What can be delivered to: one folder for each kind of destination."""
