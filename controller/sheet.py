"""The sheet that a picture is drawn on: text, boxes, lines and curves in the colours and fonts of this project.

The colours can be told apart by colour-blind readers (Okabe and Ito 2008). Everything is reportlab's shapes, so
the same picture goes into an SVG file and into a report.
"""

import io
from collections.abc import Sequence
from typing import Any

from reportlab.graphics import renderSVG
from reportlab.graphics.shapes import Drawing, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

FONT, BOLD = "Helvetica", "Helvetica-Bold"
FAMILY = {"family": "Helvetica, Arial, 'Liberation Sans', sans-serif"}

WHITE, INK, GREY, FAINT = HexColor("#ffffff"), HexColor("#1f2933"), HexColor("#55606a"), HexColor("#7d8790")
GRID, EMPTY_LANE = HexColor("#d3dae0"), HexColor("#f0f2f4")
TRUE, SENSOR_A, SENSOR_B, PLAN = HexColor("#0b3c6f"), HexColor("#e69f00"), HexColor("#cc79a7"), HexColor("#9fb3c5")
CAP, FAULT, LEVEL = HexColor("#b3400b"), HexColor("#6a4c93"), HexColor("#00745a")
LEVEL_BAND = Color(0, 0.62, 0.45, alpha=0.16)
STATES = {
    "idle": HexColor("#f6f7f8"),
    "strapped": HexColor("#e9edf0"),
    "tilting": HexColor("#dcebf7"),
    "holding": HexColor("#c3dcf0"),
    "returning": HexColor("#dcf0ea"),
    "resting": HexColor("#eef6ee"),
    "emergency_return": HexColor("#fbe0cf"),
    "stopped": HexColor("#f6d3d3"),
}
# Colour, and height of its bar as a part of the lane: what the colour says, the height says again.
ALARMS = {"LOW": (HexColor("#56b4e9"), 0.4), "MEDIUM": (HexColor("#f0c000"), 0.7), "HIGH": (HexColor("#d55e00"), 1.0)}


def width_of(words: str, size: float, font: str = FONT) -> float:
    """Return how wide a text is, in the sheet's units."""
    return float(stringWidth(words, font, size))


class Sheet:
    """A white page that takes shapes from back to front; upwards is positive."""

    def __init__(self, width: float, height: float) -> None:
        """Begin with an empty page of the given size."""
        self.width = width
        self.drawing = Drawing(width, height)
        self.box(0, 0, width, height, WHITE)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 9,
        color: Color = INK,
        font: str = FONT,
        anchor: str = "start",
    ) -> None:
        """Write one line; `anchor` is the end of the text that stands at x: start, middle or end."""
        self._add(
            String(round(x, 2), round(y, 2), words, fontName=font, fontSize=size, fillColor=color, textAnchor=anchor)
        )

    def box(self, left: float, bottom: float, width: float, height: float, color: Color) -> None:
        """Fill a rectangle; even the narrowest stays visible."""
        self._add(
            Rect(
                round(left, 2),
                round(bottom, 2),
                round(max(width, 0.8), 2),
                round(height, 2),
                fillColor=color,
                strokeColor=None,
            )
        )

    def line(
        self,
        points: Sequence[tuple[float, float]],
        color: Color,
        width: float = 1,
        dash: list[float] | None = None,
    ) -> None:
        """Draw a line through the points."""
        flat = [round(value, 2) for point in points for value in point]
        self._add(PolyLine(flat, strokeColor=color, strokeWidth=width, strokeDashArray=dash, strokeLineJoin=1))

    def diamond(self, x: float, y: float, radius: float, color: Color) -> None:
        """Mark one point."""
        corners = [x, y + radius, x + radius, y, x, y - radius, x - radius, y]
        self._add(Polygon([round(value, 2) for value in corners], fillColor=color, strokeColor=WHITE, strokeWidth=1.2))

    def svg(self, title: str, description: str) -> str:
        """Return the page as SVG text, with title and description for those who hear it read."""
        canvas = renderSVG.SVGCanvas(
            (self.drawing.width, self.drawing.height),
            fontHacks={FONT: FAMILY, BOLD: {**FAMILY, "weight": "bold"}},
            svgAttrs={"role": "img", "aria-label": title},
        )
        for tag, words in (("title", title), ("desc", description)):
            canvas.svg.getElementsByTagName(tag)[0].firstChild.data = words
        renderSVG.draw(self.drawing, canvas)
        out = io.StringIO()
        canvas.save(out)
        return out.getvalue()

    def _add(self, shape: Any) -> None:
        self.drawing.add(shape)
