"""What is free, as a table for a spreadsheet."""
from catalogue.models import Title
from core import sheets
from licensing.rights import availability, languages, media, territories

FIELDS = ("title_id", "title", "territories", "media", "languages", "starts_on", "ends_on", "exclusive", "tentative")
AXES = (("territories", territories), ("media", media), ("languages", languages))


def free_table(title: Title, answer: availability.Answer) -> str:
    """The free blocks of an answer as CSV: names in their shortest form, separated by commas; no end is empty."""
    return sheets.table(FIELDS, ([title.id, title.original_title, *row] for row in free_rows(answer)))


def free_rows(answer: availability.Answer):
    """What is free, block by block, in the order of FIELDS from the territories on."""
    for block in answer.free:
        starts_on, ends_on = block.dates.window
        yield [*(",".join(axis.short(getattr(block, name))) for name, axis in AXES), starts_on, ends_on or "",
               "yes" if answer.request.exclusive else "no",
               "yes" if any(block.meets(other) for other in answer.doubtful) else "no"]
