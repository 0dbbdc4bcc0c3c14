"""What is free, as a table for a spreadsheet."""
import csv
import io

from catalogue.models import Title
from licensing.rights import availability, languages, media, territories

FIELDS = ("title_id", "title", "territories", "media", "languages", "starts_on", "ends_on", "exclusive", "tentative")
AXES = (("territories", territories), ("media", media), ("languages", languages))
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a cell would be computed instead of read


def free_table(title: Title, answer: availability.Answer) -> str:
    """The free blocks of an answer as CSV: names in their shortest form, separated by commas; no end is empty. Starts
    with a byte order mark, without which Excel takes UTF-8 for something else."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(FIELDS)
    for block in answer.free:
        starts_on, ends_on = block.dates.window
        rows.writerow([title.id, _readable(title.original_title), *(",".join(axis.short(getattr(block, name)))
                                                                    for name, axis in AXES),
                       starts_on, ends_on or "", "yes" if answer.request.exclusive else "no",
                       "yes" if any(block.meets(other) for other in answer.doubtful) else "no"])
    return "\ufeff" + text.getvalue()


def _readable(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
