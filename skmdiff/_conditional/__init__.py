"""Rows under conditions, completions of rows, and conditional means."""
