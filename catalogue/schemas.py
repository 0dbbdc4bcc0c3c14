"""The shape of titles and links on the wire. Shape only: no rules, no queries."""
import re

from babel import Locale
from marshmallow import Schema, ValidationError, fields, validate, validates
from stdnum import isan
from stdnum.exceptions import ValidationError as BadNumber
from stdnum.iso7064 import mod_37_36

from catalogue import audiences
from catalogue.models import Kind, LinkKind, NameKind, Status
from core.errors import Invalid
from core.http.text import FIT

ENGLISH = Locale("en")
TAG = [validate.Length(max=20), validate.Regexp(
    r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", error="Not a language tag such as zh-Hant.")]
OR_NOTHING = {"type": ["string", "null"]}  # what the API's document says of a field that is worked out


def load(schema: Schema, data: dict):
    """For pages: what `arguments` does for the API. Raises Invalid."""
    try:
        return schema.load(data)
    except ValidationError as problem:
        raise Invalid(problem.normalized_messages()) from None


def one_of(kinds):
    return validate.OneOf([each.value for each in kinds])


ID = re.compile(r"[0-9]{1,9}")  # what fits a database's integer on both engines


class Id(fields.String):
    """An opaque id: a string in JSON, a number inside. A number is taken for it, too."""

    def __init__(self, *, metadata=None, **kwargs):
        super().__init__(metadata={"type": ["string", "integer"], "pattern": f"{ID.pattern}$", "minimum": 0,
                                   "maximum": 999_999_999, **(metadata or {})}, **kwargs)

    def _deserialize(self, value, attr, data, **kwargs):
        text = super()._deserialize(str(value) if isinstance(value, int) else value, attr, data, **kwargs)
        if not ID.fullmatch(text):
            raise ValidationError("There is nothing with this id.")
        return int(text)


SOME_WORDS = FIT[:-1] + rf"[^{FIT[3:-3]}\s]" + FIT[1:]


class Words(fields.String):
    """A line of text, trimmed. What may stand in text at all is said in `core.http.text`."""

    def __init__(self, most=500, least=1, *, metadata=None, **kwargs):
        self.most = most
        super().__init__(validate=validate.Length(least, most),
                         metadata={"pattern": SOME_WORDS if least else FIT, **(metadata or {})}, **kwargs)

    def _deserialize(self, value, attr, data, **kwargs):
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > self.most:  # with the blanks around it, for so the API's document means it
            raise ValidationError(f"Longer than maximum length {self.most}.")
        return text.strip()


class NameSchema(Schema):
    language = fields.String(validate=TAG, load_default=None, allow_none=True)
    value = Words(required=True)
    kind = fields.String(validate=one_of(NameKind), load_default=NameKind.TRANSLATED.value)


class CreditSchema(Schema):
    role = Words(100, required=True)
    name = Words(300, required=True)


class ListedEpisodeSchema(Schema):
    number = fields.String(allow_none=True)
    name = fields.String()


class IdentifiersSchema(Schema):
    """EIDR and ISAN carry an ISO 7064 Mod 37,36 check character; IMDb ids begin with tt."""
    eidr = fields.String()
    isan = fields.String()
    imdb = fields.String(validate=validate.Regexp(r"tt[0-9]{7,9}\Z", error="An IMDb id looks like tt0133093."))

    @validates("eidr")
    def check_eidr(self, value, **_):
        prefix, _, suffix = value.partition("/")
        digits = suffix.replace("-", "").upper()
        if prefix != "10.5240" or len(digits) != 21 or not mod_37_36.is_valid(digits):
            raise ValidationError("Not an EIDR: its form or its check character is wrong.")

    @validates("isan")
    def check_isan(self, value, **_):
        try:
            isan.validate(value)
        except BadNumber:
            raise ValidationError("Not an ISAN: its form or a check character is wrong.") from None


class AudienceSchema(Schema):
    """Whom a title is shown to once it is published."""
    kind = fields.String(required=True, validate=one_of(audiences.Kind))
    organisations = fields.List(Id(), validate=validate.Length(max=audiences.MOST),
                                metadata={"description": "those chosen, for the kind organisations"})
    edition = Id(metadata={"description": "of the market, for the kind market"})


class SellerSchema(Schema):
    id = fields.String()
    name = fields.String()


class TitleSchema(Schema):
    id = fields.String(dump_only=True)
    seller = fields.Nested(SellerSchema, dump_only=True)
    kind = fields.String(required=True, validate=one_of(Kind))
    status = fields.String(validate=one_of(Status), load_default=Status.DRAFT.value)
    audience = fields.Nested(AudienceSchema, metadata={"description": "told to the seller alone; public by default"})
    original_title = Words(required=True)
    original_language = fields.String(validate=TAG, allow_none=True)
    titles = fields.List(fields.Nested(NameSchema), attribute="names", validate=validate.Length(max=200))
    year = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1870, 2100))
    countries = fields.List(fields.String(), validate=validate.Length(max=50))
    genres = fields.List(Words(60), validate=validate.Length(max=50))
    languages = fields.List(fields.String(validate=TAG), validate=validate.Length(max=50))
    tags = fields.List(Words(60), validate=validate.Length(max=50))
    runtime_minutes = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, 100_000))
    synopsis = fields.Dict(keys=fields.String(validate=TAG), values=Words(20_000, least=0))
    credits = fields.List(fields.Nested(CreditSchema), validate=validate.Length(max=2000))
    identifiers = fields.Nested(IdentifiersSchema)
    external_id = Words(200, allow_none=True)
    parent_id = Id(allow_none=True)
    number = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 100_000))
    episodes = fields.List(fields.Nested(ListedEpisodeSchema), dump_only=True)
    revision = fields.Integer(dump_only=True)

    @validates("countries")
    def check_countries(self, value, **_):
        for code in value:
            if len(code) != 2 or code not in ENGLISH.territories:
                raise ValidationError(f"{code!r} is not an ISO 3166-1 code of two letters.")


class TitlePatch(TitleSchema):
    """Every field optional; what is not sent stays."""
    kind = fields.String(validate=one_of(Kind))
    status = fields.String(validate=one_of(Status))
    original_title = Words()


class TitleQuery(Schema):
    own = fields.Boolean(load_default=False, metadata={"description": "only my organisation's titles"})


class LinkSchema(Schema):
    id = fields.String(dump_only=True)
    kind = fields.String(required=True, validate=one_of(LinkKind))
    title_id = Id(required=True, metadata={"description": "the title it is a sequel (remake …) of"})


class FranchiseLinkSchema(Schema):
    from_id = fields.String(attribute="title_id")
    kind = fields.String()
    to_id = fields.String(attribute="target_id")


class FranchiseSchema(Schema):
    items = fields.List(fields.Nested(TitleSchema))
    links = fields.List(fields.Nested(FranchiseLinkSchema))
