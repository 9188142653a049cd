"""One self-contained HTML page: no network, no script. Every text that comes from a table is escaped."""

from html import escape

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff }
body { margin: 2em auto; max-width: 72em; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .25em .8em; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
tr.group th { background: #f3f3f3 }
.scale { display: inline-block; width: 7em; height: .7em; background: #eee }
.scale span { display: block; height: 100%; background: #1f77b4 }
"""


def page(title, paragraphs, tables):
    """A whole page from plain paragraphs and from pairs of a heading and the HTML of a table."""
    body = [f"<p>{escape(text)}</p>" for text in paragraphs]
    body += [f"<h2>{escape(heading)}</h2>\n{content}" for heading, content in tables]
    head = f'<meta charset="utf-8">\n<title>{escape(title)}</title>\n<style>{_STYLE}</style>'
    content = "\n".join(body)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
        f"<body>\n<h1>{escape(title)}</h1>\n{content}\n</body>\n</html>\n"
    )


def table(header, rows):
    """A table whose cells are numbers, texts or bars; a row of one text is a heading over its group."""
    lines = [_line("th", header)]
    for row in rows:
        if len(row) == 1:
            lines.append(f'<tr class="group"><th colspan="{len(header)}">{escape(row[0])}</th></tr>')
        else:
            lines.append(_line("td", row))
    return "<table>\n" + "\n".join(lines) + "\n</table>"


class Bar:
    """A share between 0 and 1, drawn as a bar; nothing is drawn for None."""

    def __init__(self, share):
        self.share = share

    def __str__(self):
        """The bar as HTML."""
        if self.share is None:
            return ""
        return f'<span class="scale"><span style="width: {100 * self.share:.0f}%"></span></span>'


def number(value):
    """A number in four digits, a text as it is."""
    return value if isinstance(value, str) else f"{value:.4g}"


def _line(tag, cells):
    return "<tr>" + "".join(_cell(tag, cell) for cell in cells) + "</tr>"


def _cell(tag, cell):
    if isinstance(cell, Bar):
        return f"<{tag}>{cell}</{tag}>"
    if isinstance(cell, str):
        return f"<{tag}>{escape(cell)}</{tag}>"
    return f'<{tag} class="number">{number(cell)}</{tag}>'
