"""Words in large letters for a terminal: three lines high, out of half blocks, so that they are read from the table."""

from typing import Final

LINES: Final = 3
# Five rows of dots a letter; `#` is a dot.
_DRAWN: Final = {
    "A": ".#. #.# ### #.# #.#",
    "B": "##. #.# ##. #.# ##.",
    "C": ".## #.. #.. #.. .##",
    "D": "##. #.# #.# #.# ##.",
    "E": "### #.. ##. #.. ###",
    "F": "### #.. ##. #.. #..",
    "G": ".### #... #.## #..# .###",
    "H": "#.# #.# ### #.# #.#",
    "I": "# # # # #",
    "J": "..# ..# ..# #.# .#.",
    "K": "#.# #.# ##. #.# #.#",
    "L": "#.. #.. #.. #.. ###",
    "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#..# ##.# #.## #..# #..#",
    "O": ".##. #..# #..# #..# .##.",
    "P": "##. #.# ##. #.. #..",
    "Q": ".##. #..# #..# #.#. .#.#",
    "R": "##. #.# ##. #.# #.#",
    "S": ".## #.. .#. ..# ##.",
    "T": "### .#. .#. .#. .#.",
    "U": "#.# #.# #.# #.# ###",
    "V": "#.# #.# #.# #.# .#.",
    "W": "#...# #...# #.#.# ##.## #...#",
    "X": "#.# #.# .#. #.# #.#",
    "Y": "#.# #.# .#. .#. .#.",
    "Z": "### ..# .#. #.. ###",
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# ### ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# ..# ..# ..#",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ":": ". # . # .",
    " ": ".. .. .. .. ..",
}
LETTERS: Final = {letter: drawn.split() for letter, drawn in _DRAWN.items()}
_BLOCKS: Final = {"..": " ", "#.": "▀", ".#": "▄", "##": "█"}


def block_letters(words: str) -> list[str]:
    """Return three lines of equal length with `words` in large letters; a character that is not drawn is left out."""
    drawn = [LETTERS[letter] for letter in words.upper() if letter in LETTERS]
    rows = [".".join(letter[row] for letter in drawn) for row in range(5)]
    rows.append("." * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_BLOCKS[high + low] for high, low in zip(*pair, strict=True)) for pair in pairs]


def plain_letters(words: str) -> list[str]:
    """Return three lines with `words` as large as ASCII has them: spaced, between two rules."""
    spaced = " ".join(words.upper())
    return ["=" * len(spaced), spaced, "=" * len(spaced)]
