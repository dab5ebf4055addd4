"""What can go wrong with an engine, as a sentence that says what to do."""


class EngineError(Exception):
    """An engine cannot be started, reached or stopped; the message says what to do."""
