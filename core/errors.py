"""The ways a rule can refuse. Domain code raises these; `core.http` makes them answers, in one place.

The text of a refusal is a sentence fit to be shown to the person who asked, and says what to do.
"""


class Refusal(Exception):
    """A rule said no. `status` is the HTTP status the edges answer with."""
    status = 409
    title = "The world moved"
    seconds = None  # after which it may be worth while to ask again

    def __init__(self, detail, **more):
        """`more` is carried into the problem document: `reasons` (of rights), `errors` (by field)."""
        super().__init__(detail)
        self.detail = detail
        self.more = more


class NotSignedIn(Refusal):
    status = 401
    title = "Not signed in"


class Overtaken(Refusal):
    """The form was drawn for somebody else than who sends it now."""
    status = 400
    title = "This page is old"


class NotAllowed(Refusal):
    status = 403
    title = "Not allowed"


class NotProven(Refusal):
    """What was asked wants a fresh proof of who asks: a page asks for it, and goes on from there."""
    status = 403
    title = "Is it you?"


class NotFound(Refusal):
    """There is no such record, or it is not the asker's to see: the two are never told apart."""
    status = 404
    title = "Not found"

    def __init__(self, detail="There is nothing here that you may see. Check the address, or use the search."):
        super().__init__(detail)


class Conflict(Refusal):
    """What was asked contradicts what is now recorded."""


class Stale(Refusal):
    """The record was changed since the asker read it (RFC 9110, If-Match)."""
    status = 412
    title = "Changed meanwhile"


class Unconditional(Refusal):
    """The change must name the revision it was made against (RFC 6585)."""
    status = 428
    title = "If-Match is missing"


class Away(Refusal):
    """Something that is needed for this does not answer at the moment."""
    status = 503
    title = "Not just now"
    seconds = 10


class TooMany(Refusal):
    """Somebody asks more often than everybody could (RFC 6585)."""
    status = 429
    title = "Too many requests"

    def __init__(self, detail, seconds: int):
        super().__init__(detail)
        self.seconds = seconds


class Invalid(Refusal):
    """What was sent has the wrong shape or names things that do not exist."""
    status = 422
    title = "Not understood"

    def __init__(self, errors: dict, detail=None):
        """`errors`: field → list of sentences, nested as the body is."""
        super().__init__(detail or _first_sentence(errors), errors=errors)
        self.errors = errors


def _first_sentence(errors):
    for value in errors.values():
        while isinstance(value, dict):
            value = next(iter(value.values()))
        return value[0] if isinstance(value, list) else str(value)
    return "Something in the request was not understood."
