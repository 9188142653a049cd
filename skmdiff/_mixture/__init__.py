"""The mixture on the manifold: local distributions of the rows, in closed form at every noise level."""
