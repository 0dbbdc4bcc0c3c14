"""A line as people ask it: in the fields of a form, in the address of a page."""
PERPETUITY = "perpetuity"  # the word for no end, where an empty field would be silence
AXES = ("territories", "media", "languages")


def names(form, field: str) -> list[str]:
    """The names in a field that is given several times, separated by commas, or both."""
    return [part.strip() for each in form.getlist(field) for part in each.split(",") if part.strip()]


def end(form, prefix: str = "") -> str:
    """What is said of the end: a date, PERPETUITY, or nothing. A tick for no end stands beside an empty date."""
    return next((each for each in form.getlist(f"{prefix}ends_on") if each), "")


def line(form, prefix: str = "") -> dict:
    """A line as LineSchema wants it. An end of which nothing is said is "", which the schema refuses: silence is
    never perpetuity."""
    said = end(form, prefix)
    return {**{axis: names(form, prefix + axis) for axis in AXES}, "starts_on": form.get(f"{prefix}starts_on", ""),
            "ends_on": None if said == PERPETUITY else said,
            "exclusive": form.get(f"{prefix}exclusive") in ("true", "1", "on", "yes")}


def asks(form) -> bool:
    """Whether an address asks about rights at all."""
    return any(form.get(name) for name in ("territories", "media", "starts_on")) or bool(end(form))


def address(asked: dict) -> dict[str, str]:
    """The parameters of an address that asks this line of api.md; `line` reads them back."""
    return {**{axis: ",".join(asked[axis]) for axis in AXES}, "starts_on": asked["starts_on"] or "",
            "ends_on": asked["ends_on"] or PERPETUITY, "exclusive": str(asked["exclusive"]).lower()}
