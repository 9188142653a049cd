"""Diffusion on encoded tables: noise -> tasks, denoiser -> training, solvers -> backend, each above the one before.

Only this folder imports torch, and only `backend` is imported from outside it: numpy in, numpy out.
"""

# Defaults of the noise levels, in standard deviations of a column.
SIGMA_MIN = 0.01  # the reverse process ends here, with one evaluation of the denoiser that removes what is left
SIGMA_MAX = 10.0  # largest level: rows are 1 % of the variance, so that hardly anything of them is seen
RHO = 7.0  # curvature of the grid of levels, as in EDM (section 3); the larger, the shorter the steps near SIGMA_MIN
