"""Numbers: random streams, weights, neighbours and checks of parameters; nothing of tables or of diffusion."""
