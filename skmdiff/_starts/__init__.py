"""Where the reverse process starts, and the rows of a call drawn from there."""
