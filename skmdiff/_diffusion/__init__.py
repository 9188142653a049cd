"""Diffusion on encoded tables: noise -> tasks, denoiser -> training, solvers -> backend, each above the one before.

Only this folder imports torch, and only `backend` is imported from outside it: numpy in, numpy out.
"""
