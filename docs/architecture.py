"""Draw docs/architecture.svg: ``python docs/architecture.py``."""

from pathlib import Path

# room, what it holds, its files
ROOMS = [
    ("_numerics", "helpers that know nothing of tables", "streams  weights  neighbors  checks  warnings_  interrupts"),
    ("_mixture", "local distributions of the rows, in closed form", "mixture  fitting  choice"),
    (
        "_diffusion",
        "the network: noised code -> clean code",
        "noise  tasks  categories  prior  denoiser  training  solvers  density  state  backend",
    ),
    (
        "_table",
        "columns <-> matrix W, missing cells, constraints",
        "cells  frames  checks  columns  codec  target  missing/  constraints/  ...",
    ),
    (
        "_manifold",
        "the user's learner, and the way back",
        "learner  compat  lift  local_regression  charts  dimension  noise",
    ),
    (
        "_starts",
        "where the reverse process begins",
        "source  from_mixture  distributions  volumes  modes  explore  draw  redraw",
    ),
    ("_conditional", "what users ask of the rows", "queries  matches  moves  network  starts"),
    ("_corrector", "which samples are drawn again", "features  corrector  fitting"),
    ("_files", "models as files of data", "container  arrays  values  registry"),
    (
        "_sampler",
        "ManifoldDiffusionSampler",
        "encoding  fitting  model  correction  density  completion  exploration  base  estimator",
    ),
    (
        "_applications",
        "imputer, over-sampler, augmented estimators",
        "imputer  over_sampler  augmented  gate  synthetic  routing",
    ),
]
BESIDE = [
    ("metrics", "how good samples are"),
    ("datasets", "tables with a known truth"),
    ("inspection", "pictures"),
    ("pipeline", "samples back through each step"),
    ("_cli, __main__", "the command"),
]
OUTSIDE = {
    "_diffusion": ("torch", "imported at the first fit"),
    "_table": ("pandas, polars", "imported where needed"),
    "_manifold": ("UMAP, Isomap, t-SNE, ...", "an object that the user gives"),
}
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1b1f24 }
.name { font-weight: 600 } .small { font-size: 12px; fill: #57606a }
rect { fill: #f6f8fa; stroke: #8c959f } .outside { fill: none; stroke-dasharray: 4 3 }
path { stroke: #57606a; fill: none } marker path { fill: #57606a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  rect { fill: #161b22; stroke: #656c76 } .outside { fill: none }
  path { stroke: #9198a1 } marker path { fill: #9198a1 }
}
"""
TOP, STEP, HEIGHT, LEFT, WIDTH, RIGHT = 46, 78, 58, 20, 460, 540
TITLE = "The rooms of skmdiff in reading order: each imports only from rooms above it"


def box(x, y, width, name, lines, kind="room"):
    """A rectangle with a name and lines of text below it."""
    height = HEIGHT if len(lines) > 1 else 40
    texts = [f'<text class="name" x="{x + 12}" y="{y + 17}">{name}</text>']
    texts += [f'<text class="small" x="{x + 12}" y="{y + 33 + 16 * i}">{line}</text>' for i, line in enumerate(lines)]
    return [f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>', *texts]


def arrow(x0, y0, x1, y1):
    """A line that ends in an arrow."""
    return [f'<path d="M{x0} {y0} L{x1} {y1}" marker-end="url(#head)"/>']


def escaped(text):
    """Text as XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def picture():
    """The SVG as text."""
    parts = [f'<text class="name" x="{LEFT}" y="26">{TITLE}</text>']
    for i, (name, what, files) in enumerate(ROOMS):
        y = TOP + STEP * i
        parts += box(LEFT, y, WIDTH, name, [escaped(what), files])
        if i:
            parts += arrow(LEFT + WIDTH / 2, y - STEP + HEIGHT, LEFT + WIDTH / 2, y - 3)
        if name in OUTSIDE:
            outside, when = OUTSIDE[name]
            parts += box(RIGHT, y + 9, 220, outside, [when], "outside")
            parts += arrow(RIGHT, y + 29, LEFT + WIDTH + 4, y + 29)
    for i, (name, what) in enumerate(BESIDE):
        parts += box(RIGHT, TOP + 3 * STEP + 82 + 56 * i, 220, name, [what])
    height = TOP + STEP * len(ROOMS)
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {height}" role="img" aria-label="{TITLE}">',
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
            *parts,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture(), encoding="utf-8")
