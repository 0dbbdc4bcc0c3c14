"""The shape of a search on the wire."""
from marshmallow import Schema, ValidationError, fields, missing, validate, validates_schema

from catalogue.models import Kind
from licensing.asking import PERPETUITY
from search.query import MATCHES, SORTS

LINE = ("territories", "media", "starts_on", "ends_on")


class Listed(fields.List):
    """Comma separated in the query string, or given several times."""

    def __init__(self, **kwargs):
        super().__init__(fields.String(), **kwargs)

    def _deserialize(self, value, attr, data, **kwargs):
        values = value if isinstance(value, list | tuple) else [value]
        return [part.strip() for each in values for part in str(each).split(",") if part.strip()]


class End(fields.Date):
    """A last day, or None for no end. Not given is not None: silence is never perpetuity."""

    def _deserialize(self, value, attr, data, **kwargs):
        if value == PERPETUITY:
            return None
        return super()._deserialize(value, attr, data, **kwargs) if value else missing


class SearchSchema(Schema):
    q = fields.String(load_default="")
    kind = Listed(load_default=list)
    genre = Listed(load_default=list)
    country = Listed(load_default=list)
    language = Listed(load_default=list)
    decade = Listed(load_default=list, metadata={"description": "as the facet names it: 1990s"})
    seller = Listed(load_default=list, metadata={"description": "ids of organisations"})
    year_from = fields.Integer(load_default=None, validate=validate.Range(0, 9999))
    year_to = fields.Integer(load_default=None, validate=validate.Range(0, 9999))
    territories = Listed(load_default=list)
    media = Listed(load_default=list)
    languages = Listed(load_default=lambda: ["*"])
    starts_on = fields.Date(load_default=None)
    ends_on = End(metadata={"description": "'perpetuity' for no end"})
    exclusive = fields.Boolean(load_default=False)
    match = fields.String(load_default="cover", validate=validate.OneOf(MATCHES))
    min_days = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))
    sort = fields.String(load_default="relevance", validate=validate.OneOf(SORTS))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))
    page_size = fields.Integer(load_default=20, validate=validate.Range(1, 100))

    @validates_schema
    def check_together(self, data, **_):
        """Territories, media and both dates belong together: half a line asks nothing."""
        said = {name for name in LINE if name in data and (data[name] or name == "ends_on")}
        if said and len(said) < len(LINE):
            raise ValidationError({name: ["Missing: territories, media and both dates belong together."]
                                   for name in LINE if name not in said})
        unknown = set(data["kind"]) - set(Kind)
        if unknown:
            raise ValidationError({"kind": [f"{sorted(unknown)[0]!r} is not one of {', '.join(Kind)}."]})


class ItemAvailsSchema(Schema):
    verdict = fields.String()
    coverage = fields.Float()
    text = fields.String()


class ItemSchema(Schema):
    id = fields.String()
    external_id = fields.String(allow_none=True)
    title = fields.String()
    english_title = fields.String(allow_none=True)
    kind = fields.String()
    year = fields.Integer(allow_none=True)
    highlight = fields.String(allow_none=True, metadata={"description": "HTML: only <mark>, the rest escaped"})
    avails = fields.Nested(ItemAvailsSchema, allow_none=True)


class FoundSchema(Schema):
    items = fields.List(fields.Nested(ItemSchema))
    total = fields.Integer()
    facets = fields.Dict()
    did_you_mean = fields.String(allow_none=True)
    line = fields.Dict(allow_none=True)
    took_ms = fields.Float()
