"""Text in our files: names, titles and sentences, which end up on screens, in file names and in records."""

from typing import Annotated

from pydantic import StringConstraints

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
# No control characters, invisible ones or changes of direction: these texts go to terminals as they are.
PRINTABLE = r"^\P{C}*$"

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Title = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=80)]
Sentence = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=10, max_length=300)]
