"""Constraints on the columns of a table, held exactly in the rows returned."""
