"""The schema registry as values: documents in, resolved schemas, fields and refusals out.

Nothing here knows Django, a database or a sandbox. `cdp.schemas.services` loads
the documents, asks these modules, and stores what they answer.
"""
