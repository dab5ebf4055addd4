import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, connection

from cdp.errors import Invalid, Unavailable
from cdp.queue.failures import is_nobodys

POSTGRES = {
    "08006": True,  # connection failure
    "40P01": True,  # deadlock
    "40001": True,  # serialization
    "53100": True,  # disk full
    "55P03": True,  # lock not available
    "57P01": True,  # admin shutdown
    "57P03": True,  # cannot connect now
    "57014": False,  # statement timeout
    "54000": False,  # program limit, such as a value too long for its index
    "58030": False,  # input or output error
}


@pytest.mark.parametrize(("code", "expected"), POSTGRES.items())
def test_postgres_codes_are_told_apart(db, code, expected):
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$"

    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute(raised)

    assert is_nobodys(caught.value) is expected


def test_a_broken_connection_is_nobodys_fault():
    error = OperationalError("server closed the connection unexpectedly")
    error.__cause__ = psycopg2.OperationalError("server closed the connection unexpectedly")

    assert is_nobodys(error)
    assert is_nobodys(InterfaceError("connection already closed"))


def test_refusals_and_bugs_are_the_rows_fault():
    assert is_nobodys(Unavailable("away"))
    assert not is_nobodys(Invalid("no such field"))
    assert not is_nobodys(KeyError("x"))
