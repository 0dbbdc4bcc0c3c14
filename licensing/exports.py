"""What is free, as a table for a spreadsheet."""
import csv
import io

from catalogue.models import Title
from licensing.rights import availability, languages, media, territories

FIELDS = ("title_id", "title", "territories", "media", "languages", "starts_on", "ends_on", "exclusive", "tentative")
AXES = (("territories", territories), ("media", media), ("languages", languages))
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a cell would be computed instead of read


def free_table(title: Title, answer: availability.Answer) -> str:
    """The free blocks of an answer as CSV: names in their shortest form, separated by commas; no end is empty."""
    return table(FIELDS, ([title.id, title.original_title, *row] for row in free_rows(answer)))


def free_rows(answer: availability.Answer):
    """What is free, block by block, in the order of FIELDS from the territories on."""
    for block in answer.free:
        starts_on, ends_on = block.dates.window
        yield [*(",".join(axis.short(getattr(block, name))) for name, axis in AXES), starts_on, ends_on or "",
               "yes" if answer.request.exclusive else "no",
               "yes" if any(block.meets(other) for other in answer.doubtful) else "no"]


def table(fields, rows) -> str:
    """CSV whose text is read and never computed. Starts with a byte order mark, without which Excel takes UTF-8 for
    something else."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(fields)
    out.writerows([readable(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def readable(text: str) -> str:
    """A text of somebody else's as a cell that is read and never computed."""
    return f"'{text}" if text.startswith(FORMULA) else text
