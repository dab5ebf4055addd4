"""The functions of the expression language, a file for each kind of value."""
