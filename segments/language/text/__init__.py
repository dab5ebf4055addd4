"""Rules as text: the grammar, what its trees mean, and how a rule is written down.

`grammar.lark` says what can be written; `resolver.py` turns the syntax tree into a
rule, knowing what each name refers to; `printer.py` writes a rule in one canonical
way, so that reading it again gives the same rule.
"""
