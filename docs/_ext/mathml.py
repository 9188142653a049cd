"""Formulas as MathML, which browsers draw themselves: no script and no network."""

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def inline(writer, node):
    """A formula in a line of text."""
    writer.body.append(convert(node.astext()))
    raise SkipNode


def displayed(writer, node):
    """A formula in a line of its own."""
    writer.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>\n')
    raise SkipNode


def setup(app):
    """Name the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
