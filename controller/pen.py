"""Writing lines for a terminal, in the characters that it has."""

from typing import Final

from rich.text import Text

from controller.progress import degrees
from controller.voice import IN_ASCII

LIT: Final = "●"
DARK: Final = "○"
FLASHING: Final = "◐"
_IN_ASCII: Final = IN_ASCII | str.maketrans({LIT: "*", DARK: ".", FLASHING: "~", "’": "'"})

Part = tuple[str, str]
"""Words, and the style in which rich writes them; empty for none."""


class Pen:
    """Puts lines together; with `ascii_only` in ASCII."""

    def __init__(self, ascii_only: bool) -> None:
        """Write for one terminal."""
        self.ascii_only = ascii_only

    def line(self, *parts: Part | str) -> Text:
        """Return one line; a part without a style is plain."""
        text = Text(no_wrap=True, overflow="crop")
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(self.written(words), style or None)
        return text

    def written(self, words: str) -> str:
        """Return words in the characters that the terminal has."""
        return words.translate(_IN_ASCII) if self.ascii_only else words

    def degrees(self, angle_cdeg: int | None) -> str:
        """Return an angle in seven columns; in ASCII without a sign for degrees, so that what follows stays."""
        words = degrees(angle_cdeg)
        return f"{words.replace('°', '') if self.ascii_only else words:<7}"

    def wrapped(self, words: str, columns: int) -> list[str]:
        """Return words in lines of at most so many columns; a longer word has a line of its own."""
        lines = [""]
        for word in self.written(words).split():
            joined = f"{lines[-1]} {word}".strip()
            if len(joined) > columns and lines[-1]:
                lines.append(word)
            else:
                lines[-1] = joined
        return lines
