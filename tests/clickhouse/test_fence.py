import pytest

from cdp.clickhouse.errors import QueryNotFenced
from cdp.clickhouse.fence import check, engine_filter
from cdp.clickhouse.tokens import tokenize

TABLES = {"events", "profiles", "profile_overrides", "transitions"}
OURS = "sandbox_id = {sandbox:UInt32}"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT count() FROM events WHERE {OURS}",
        f"SELECT count() FROM events AS e WHERE e.{OURS} AND e.ts > {{since:DateTime}}",
        f"select count() from events prewhere {OURS.replace(' = ', '=')}",
        f"SELECT 1 FROM events e FINAL, profiles p WHERE e.{OURS} AND p.{OURS}",
        f"SELECT 1 FROM (SELECT * FROM events WHERE {OURS}) AS e ANY LEFT JOIN profiles AS p "
        f"ON p.profile_id = e.profile_id AND p.{OURS}",
        f"WITH mine AS (SELECT * FROM events WHERE {OURS}) SELECT count() FROM mine",
        f"SELECT count() FROM events WHERE {OURS} AND identity_id IN "
        f"(SELECT identity_id FROM profile_overrides FINAL WHERE {OURS})",
        f"SELECT 1 FROM events WHERE {OURS} AND identity_id IN {{ids:Array(UInt64)}}",
        f"SELECT 1 FROM events ARRAY JOIN body.items AS item, body.other WHERE {OURS}",
        f"SELECT extract(year FROM ts), trim(both 'x' FROM event_id) FROM events WHERE {OURS}",
        f"SELECT number, (SELECT count() FROM events WHERE {OURS}) FROM numbers(10)",
        f"SELECT 1 FROM events WHERE {OURS} UNION ALL SELECT 2 FROM profiles WHERE {OURS}",
        f"SELECT 'FROM nowhere; DROP TABLE events' -- FROM elsewhere\nFROM events WHERE {OURS}",
        f"INSERT INTO transitions (sandbox_id, segment_id) SELECT {{sandbox:UInt32}}, 's' FROM events WHERE {OURS}",
        f"INSERT INTO transitions (sandbox_id, segment_id) WITH e AS (SELECT * FROM events WHERE {OURS}) "
        "SELECT {sandbox:UInt32}, 's' FROM e",
        f"ALTER TABLE events DELETE WHERE {OURS} AND identity_id = 5",
        f"DELETE FROM events WHERE {OURS};",
        f"SELECT body.`from`.:String AS x, body.`join`.`into`, `settings` = 1 FROM events WHERE {OURS}",
        f"SELECT body.`a`[].`from` FROM `events` WHERE {OURS} AND `in` IN ('x', 'FROM profiles')",
        f"SELECT $$ FROM elsewhere $$, $x$ JOIN $$ other $x$ FROM events WHERE {OURS}",
        f"SELECT \u2018 FROM elsewhere \u2019, \u201cfrom\u201d FROM events WHERE {OURS}",
    ],
)
def test_a_query_of_one_sandbox_passes(sql):
    check(sql, TABLES)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT count() FROM events", "1 named .events., 0 compared"),
        (f"SELECT 1 FROM events, profiles WHERE events.{OURS}", "2 named .events, profiles., 1"),
        (f"SELECT 1 FROM events AS e FINAL, profiles WHERE e.{OURS}", "2 named"),
        (f"SELECT 1 FROM events JOIN profiles USING profile_id WHERE events.{OURS}", "2 named"),
        (f"SELECT 1 FROM events AS a JOIN events AS b USING ts WHERE a.{OURS}", "2 named"),
        (f"WITH all AS (SELECT * FROM profiles) SELECT 1 FROM events, all WHERE {OURS}", "2 named"),
        (f"SELECT '{OURS}' FROM events", "0 compared"),
        (f"SELECT $${OURS}$$ FROM events", "0 compared"),
        (f"SELECT $a${OURS}$a$ FROM events", "0 compared"),
        (f"SELECT \u2018{OURS}\u2019 FROM events", "0 compared"),
        (f"SELECT \u201c{OURS}\u201d FROM events", "0 compared"),
        (f"SELECT `{OURS}` FROM events", "0 compared"),
        (f'SELECT 1 FROM `events`, "profiles" WHERE `events`.{OURS}', "2 named"),
        (f"SELECT `from` FROM events JOIN `profiles` USING ts WHERE {OURS}", "2 named"),
        (f"SELECT 1 FROM `system`.tables WHERE {OURS}", "system is every sandbox's"),
        (f"SELECT `file`('/etc/passwd') FROM events WHERE {OURS}", "in quotes"),
        (f"SELECT `f\\x69le`('/etc/passwd') FROM events WHERE {OURS}", "in quotes"),
        (f"SELECT 1 FROM `url`('http://x') WHERE {OURS}", "in quotes"),
        (f"SELECT 1 AS `sandbox_id` FROM events WHERE {OURS}", "An alias sandbox_id hides"),
        (f"SELECT 1 FROM events -- WHERE {OURS}", "0 compared"),
        (f"SELECT 1 FROM events /* WHERE {OURS} */", "0 compared"),
        ("SELECT 1 FROM events WHERE sandbox_id = 7", "0 compared"),
        ("SELECT 1 FROM events WHERE sandbox_id != {sandbox:UInt32}", "0 compared"),
        (f"SELECT 1 FROM system.tables WHERE {OURS}", "system is every sandbox's"),
        (f"SELECT 1 FROM SYSTEM.tables WHERE {OURS}", "SYSTEM is every sandbox's"),
        (f"SELECT 1 FROM information_schema.tables WHERE {OURS}", "every sandbox's"),
        (f"SELECT 1 FROM other WHERE {OURS}", "other is not one of our tables"),
        (f"SELECT 1 FROM other.events WHERE {OURS}", "other is not one of our tables"),
        (f"SELECT 1 FROM events.other WHERE {OURS}", "events is not one of our tables"),
        (f"SELECT 1 FROM file('/etc/passwd') WHERE {OURS}", "reads outside"),
        (f"SELECT 1 FROM merge('default', '.*') WHERE {OURS}", "merge is not one of our tables"),
        (f"SELECT 1 FROM {{t:Identifier}} WHERE {OURS}", "A name is no parameter"),
        (f"SELECT file('/etc/passwd') FROM events WHERE {OURS}", "reads outside"),
        (f"SELECT dictGet('d', 'x', 1) FROM events WHERE {OURS}", "reads outside"),
        (f"SELECT 1 FROM events WHERE {OURS} AND profile_id IN profiles", "After IN comes a list"),
        (f"SELECT 1 AS sandbox_id FROM events WHERE {OURS}", "An alias sandbox_id hides"),
        (f"WITH events AS (SELECT 1) SELECT 1 FROM events WHERE {OURS}", "hides a table"),
        (f"SELECT 1 FROM events WHERE {OURS}; DROP TABLE events", "One statement at a time"),
        (
            f"SELECT 1 FROM events WHERE {OURS} SETTINGS additional_table_filters = {{}}",
            "Settings go",
        ),
        ("SELECT 1", "names none of our tables"),
        ("", "Nothing is no statement"),
        ("DROP TABLE events", "DROP is no statement"),
        ("TRUNCATE TABLE events", "TRUNCATE is no statement"),
        ("ALTER TABLE events DROP PARTITION 202601", "may only DELETE or UPDATE"),
        ("ALTER TABLE events DELETE WHERE 1", "0 compared"),
        (f"INSERT INTO transitions SELECT * FROM events WHERE {OURS}", "Name the columns"),
        (
            f"INSERT INTO other (sandbox_id) SELECT {{sandbox:UInt32}} FROM events WHERE {OURS}",
            "other is not",
        ),
        (
            f"INSERT INTO transitions (sandbox_id) SELECT 8 FROM events WHERE {OURS}",
            "first column of what",
        ),
        (
            f"INSERT INTO transitions (sandbox_id) SELECT {{sandbox:UInt32}} FROM events WHERE {OURS} "
            f"UNION ALL SELECT 8 FROM events WHERE {OURS}",
            "first column of what",
        ),
    ],
)
def test_a_query_that_could_reach_further_is_refused(sql, reason):
    with pytest.raises(QueryNotFenced, match=reason):
        check(sql, TABLES)


def test_the_second_fence_names_every_table():
    assert engine_filter(7, ["profiles", "events"]) == {
        "events": "sandbox_id = 7",
        "profiles": "sandbox_id = 7",
    }


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("a.b=-1", ["a", ".", "b", "=", "-", "1"]),
        ("'it''s \\' -- x' `q``x`", ["'it''s \\' -- x'", "q``x"]),
        ("{ x : Array(UInt64) }", ["{x:Array(UInt64)}"]),
        ("$a$ x $$ y $a$ z", ["$a$ x $$ y $a$", "z"]),
        ("1 -- one\n2 # two\n/* three */ 3", ["1", "2", "3"]),
    ],
)
def test_sql_is_cut_into_words(sql, words):
    assert [token.text for token in tokenize(sql)] == words
