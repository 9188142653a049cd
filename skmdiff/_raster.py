"""A picture without a plotting library: points, bars and capital letters on a white canvas, written as PNG.

matplotlib is no core dependency, and ``skmdiff demo`` owes its user a picture all the same.
"""

import struct
import zlib

import numpy as np

# five rows of three pixels per sign, a row an octal digit
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. "
_ROWS = (
    "25755 65656 34443 65556 74647 74644 34553 55755 72227 11152 55655 44447 57755 65555 25552 65644 25563 "
    "65655 34216 72222 55557 55552 55775 55255 55222 71247 75557 26227 61247 71317 55711 74616 34757 71222 "
    "75757 75716 00007 00700 00002 00000"
).split()
_FONT = dict(zip(_SIGNS, _ROWS, strict=True))
_UNKNOWN = "77777"
_PIXEL = 2


class Canvas:
    """RGB pixels of shape (height, width, 3), with the origin at the top left."""

    def __init__(self, width, height):
        self.pixels = np.full((height, width, 3), 255, dtype=np.uint8)

    def fill(self, left, top, right, bottom, color):
        """Fill a rectangle; `color` is "#rrggbb"."""
        self.pixels[top:bottom, left:right] = tuple(bytes.fromhex(color[1:]))

    def text(self, left, top, text, color="#404040"):
        """Write in capitals, 8 pixels wide and 10 high each."""
        for k, sign in enumerate(text.upper()):
            for row, bits in enumerate(_FONT.get(sign, _UNKNOWN)):
                for column in range(3):
                    if int(bits) >> (2 - column) & 1:
                        x, y = left + _PIXEL * (4 * k + column), top + _PIXEL * row
                        self.fill(x, y, x + _PIXEL, y + _PIXEL, color)

    def save(self, path):
        """Write the pixels as PNG: header, compressed rows with filter 0, end."""
        height, width, _ = self.pixels.shape
        rows = np.pad(self.pixels.reshape(height, -1), [(0, 0), (1, 0)])
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for kind, data in chunks:
                checksum = zlib.crc32(kind + data)
                file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum))
