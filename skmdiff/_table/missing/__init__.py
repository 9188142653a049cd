"""What is missing in a table: filled by a hot deck, drawn by a model of indicators."""
