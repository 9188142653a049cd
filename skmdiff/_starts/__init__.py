"""Where the reverse process starts, and how it makes the rows of a call."""
