"""An app for tests of the queue in processes of their own: it counts rows, and rounds."""
