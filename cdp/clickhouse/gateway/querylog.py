"""Note every query in a file, one JSON object a line: how a test sees what was really asked."""

import json
import threading
from pathlib import Path

from cdp.clickhouse.gateway.ask import Ask


class QueryLog:
    """A file of queries, or nothing at all if no file was asked for."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None
        self._lock = threading.Lock()

    def note(self, ask: Ask) -> None:
        """Write the query down before it runs, so that one that kills the store is seen too."""
        if self._file is None:
            return
        line = json.dumps(
            {
                "query": ask.statement,
                "database": ask.database,
                "settings": ask.settings,
                "parameters": ask.parameters,
                "insert_format": ask.insert_format,
            }
        )
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
