"""Tables: containers, cells, columns, and the codec between a table and a matrix."""
