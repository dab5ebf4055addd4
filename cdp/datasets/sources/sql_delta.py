"""Reading a table only from where it has been read."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cdp.datasets.sources.base import Marker, SourceError, Window
from cdp.datasets.sources.marks import Mark
from cdp.datasets.sources.sql_rows import MARK

_TIMES: Final = (datetime, date)
_KINDS: Final = (*_TIMES, int, float, Decimal, str)


class Delta:
    """A column that grows, and how far it has been read.

    Raises `SourceError` for a column that has no order, or no time where one is needed.
    """

    def __init__(self, column: sa.Column[Any], window: Window, overlap: timedelta) -> None:
        self._column, self._window = column, window
        self._kind = _kind_of(column)
        if overlap and self._kind not in _TIMES:
            raise SourceError(f"'{column.name}' is no time and takes no overlap.", permanent=True)
        marker = window.marker or {}
        self._mark = Mark(
            self._from_marker(marker.get("value")),
            marker.get("seen", ""),
            self._from_marker(marker.get("behind", marker.get("value"))),
            overlap=overlap,
            in_order=self._kind is str,
        )

    def limit(self, connection: Connection, query: sa.Select[Any]) -> sa.Select[Any]:
        """Limit a query to what is new: from the mark up to the last row there is now."""
        column, conditions = self._column, self._beginning()
        until = self._comparable(self._window.until)
        if until is not None:
            conditions.append(column <= until)
        newest = connection.execute(
            sa.select(sa.func.max(column)).select_from(column.table).where(*conditions)
        ).scalar()
        reached: sa.ColumnElement[bool] = column <= newest if newest is not None else sa.false()
        if not conditions:
            # Rows that were never changed have no time of a change; the first reading takes them.
            reached = sa.or_(reached, column.is_(None))
        return query.add_columns(column.label(MARK)).where(*conditions, reached).order_by(column)

    def is_new(self, row: sa.RowMapping, line: bytes) -> bool:
        """Tell whether a row has not landed yet."""
        return self._mark.is_new(row[MARK], line)

    def marker(self) -> Marker | None:
        """Return how far this reading has come."""
        newest, seen, behind = self._mark.next()
        if newest is None:
            return self._window.marker
        return {"value": _to_marker(newest), "seen": seen, "behind": _to_marker(behind)}

    def _beginning(self) -> list[sa.ColumnElement[bool]]:
        since = self._comparable(self._window.since) if not self._window.marker else None
        behind = since if self._mark.behind is None else self._mark.behind
        conditions = [] if behind is None else [self._column > behind]
        if self._mark.start is not None:
            conditions.append(self._column >= self._mark.start)
        return conditions

    def _from_marker(self, value: Any) -> Any:
        if value is None:
            return None
        if self._kind is datetime:
            moment = datetime.fromisoformat(value)
            return moment if self._is_aware else moment.replace(tzinfo=None)
        if self._kind is date:
            return date.fromisoformat(value)
        return Decimal(str(value)) if self._kind is Decimal else value

    def _comparable(self, moment: datetime | None) -> Any:
        """Return a time as the column has it; one without a zone is UTC."""
        if moment is None:
            return None
        if self._kind is datetime:
            return moment if self._is_aware else moment.astimezone(UTC).replace(tzinfo=None)
        if self._kind is date:
            return moment.date()
        detail = f"'{self._column.name}' is no time, so a window cannot be cut."
        raise SourceError(detail, permanent=True)

    @property
    def _is_aware(self) -> bool:
        return bool(getattr(self._column.type, "timezone", False))


def _to_marker(value: Any) -> Any:
    """Write a value down, with all of its digits."""
    if isinstance(value, _TIMES):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _kind_of(column: sa.Column[Any]) -> type:
    try:
        kind: type = column.type.python_type
    except NotImplementedError:
        kind = object
    if kind not in _KINDS:
        detail = f"'{column.name}' has no order by which new rows could be told."
        raise SourceError(detail, permanent=True)
    return kind
