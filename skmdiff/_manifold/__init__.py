"""Manifold learners: embedding, lift, charts, dimension and the noise off the manifold."""
