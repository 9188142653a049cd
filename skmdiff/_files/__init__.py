"""Model files: a tree of plain values and arrays, written and read without running any code that a file could name."""
