"""What the network says of categories by known columns alone, the others being at the level UNKNOWN.

Categories are drawn one column after the other from p(level | columns known, categories drawn before). B rows, p
encoded columns in n_blocks blocks.
"""

import torch

from .noise import UNKNOWN


def log_probabilities_of(model, x, row_level, sigma, block):
    """Log-probabilities (B, n_levels) of the levels of the category with the number `block`."""
    narrow, *wide = model(x, row_level, sigma)[1]
    layout = model.layout
    numbers = layout.narrow.block.tolist()
    if block in numbers:
        place = numbers.index(block)
        return narrow[:, place, :layout.narrow.n_levels[place]]
    [logits] = [values for column, values in zip(layout.wide, wide, strict=True) if int(column.block) == block]
    return logits.log_softmax(-1)


def draw_categories(model, codes, x, free, level, uniforms):
    """Rows x (B, p) with the categories drawn that are `free` (B, n_blocks).

    Parameters
    ----------
    codes : for each block the tensor (n_levels, width) of its codes, None for a number
    level : float, the level of rows that have columns known and unknown only
    uniforms : (B, n_blocks)
    """
    x, sigma = x.clone(), torch.where(free, UNKNOWN, 0.0).to(x)
    row_level = x.new_full((len(x),), level)
    for block, code in enumerate(codes):
        if code is None or not free[:, block].any():
            continue
        shares = log_probabilities_of(model, x, row_level, sigma, block).exp().cumsum(1)
        drawn = torch.searchsorted(shares, uniforms[:, block:block + 1] * shares[:, -1:], right=True)[:, 0]
        columns = model.layout.block_of_column == block
        x[:, columns] = torch.where(free[:, block:block + 1], code[drawn.clamp_max(len(code) - 1)], x[:, columns])
        sigma[:, block] = 0.0
    return x
