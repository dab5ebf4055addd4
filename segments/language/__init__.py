"""The language of rules: which people, said once and read in three ways.

A rule is a tree (`ast.py`), stored as JSON (`tree.py`), written and read as text
(`parse.py`, `print.py`). It is read as SQL for populations (`sql/`), by an
interpreter for one profile in hand (`match.py`), and as an explanation
(`explain.py`). Nothing here knows Django, a database or a sandbox; the moment of
evaluation and the known fields come in as arguments.
"""
