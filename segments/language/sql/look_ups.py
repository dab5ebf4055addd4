"""The current rows of look-up entities, out of all that were ever sent.

The last row that replaces or deletes an entity is its base; rows that change single
fields of it come on top. What is deleted, and not sent again since, is not there.
"""

from segments.language.sql.frames import Columns, json_text
from segments.language.vocabulary import Entity


def current_entities(entity: Entity, columns: Columns, datasets: str) -> str:
    """Return the select of an entity's keys (`entity_key`) and columns, a row each.

    `datasets` is the placeholder of the datasets that hold its rows.
    """
    order = "(ts, ingested_at)"
    folded = "".join(
        f",\n        argMaxIf({name}, {order}, {'notEmpty' if many else 'isNotNull'}({name})) AS {name}"
        for name, many in columns.many.items()
    )
    return f"""
      SELECT entity_key{folded}
      FROM (
        SELECT ts, ingested_at, operation, {json_text(entity.key)} AS entity_key,
        maxIf({order}, operation != 'merge') OVER (PARTITION BY entity_key) AS base{columns.listed()}
        FROM records
        WHERE sandbox_id = {{sandbox:UInt32}} AND dataset_id IN {datasets}
      )
      WHERE {order} >= base AND operation != 'delete' AND isNotNull(entity_key)
      GROUP BY entity_key"""
