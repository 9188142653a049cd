"""Missing cells of a table: filled by a hot deck, and made missing in samples by a model of indicators."""
