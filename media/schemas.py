"""The shape of assets on the wire. Shape only: no rules, no queries."""
from marshmallow import Schema, fields, validate

from accounts.schemas import Flag
from catalogue.schemas import TAG, Id, Words, one_of
from media.models import Kind, Track

LARGEST = 1 << 43
SHA256 = validate.Regexp(r"[0-9a-f]{64}\Z", error="A SHA-256 is 64 hexadecimal digits in lower case.")
SHARE = validate.Range(0, 1)


class FocalSchema(Schema):
    """What of a picture stays in view where it is cropped: from the left and from the top, each 0 to 1."""
    x = fields.Float(required=True, validate=SHARE)
    y = fields.Float(required=True, validate=SHARE)


class AssetSchema(Schema):
    id = fields.String(dump_only=True)
    title_id = fields.String(dump_only=True)
    kind = fields.String(required=True, validate=one_of(Kind))
    state = fields.String(dump_only=True)
    reason = fields.String(dump_only=True, allow_none=True, metadata={"description": "why it was rejected"})
    filename = Words(200, required=True)
    content_type = fields.String(attribute="type", required=True, validate=validate.Length(1, 60))
    size = fields.Integer(strict=True, required=True, validate=validate.Range(1, LARGEST))
    sha256 = fields.String(validate=SHA256, allow_none=True)
    language = fields.String(validate=TAG, allow_none=True)
    alt_text = Words(500, attribute="alt", allow_none=True, metadata={"description": "what a picture shows"})
    focal_point = fields.Function(lambda asset: {"x": asset.focal_x / 100, "y": asset.focal_y / 100}, metadata={
        "type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}})
    created_at = fields.DateTime(dump_only=True)
    film_id = Id(allow_none=True, metadata={"description": "the trailer or screener that subtitles are shown over"})
    track = fields.String(validate=one_of(Track), allow_none=True,
                          metadata={"description": "what the words are for: subtitles where nothing is said"})


def told(asset, own: bool) -> dict:
    """An asset as its seller reads it; to others its name is what it is, for what it was called is the seller's."""
    dumped = AssetSchema().dump(asset)
    return dumped if own else {**dumped, "filename": dumped["kind"]}


class NewAssetSchema(AssetSchema):
    """A file that will be sent."""
    content_type = fields.String(required=True, validate=validate.Length(1, 60))
    focal_point = fields.Nested(FocalSchema, load_default=None, allow_none=True)


class DescriptionSchema(Schema):
    """What may be said anew of a file. What is not sent stays."""
    language = fields.String(validate=TAG, allow_none=True)
    alt_text = Words(500, attribute="alt", allow_none=True, least=0)
    focal_point = fields.Nested(FocalSchema, allow_none=True)


class PartSchema(Schema):
    number = fields.Integer()
    size = fields.Integer()
    url = fields.String()


class UploadSchema(Schema):
    """How to send it: one form with these fields and then `file`, or every part by PUT to an address of its own."""
    method = fields.String()
    url = fields.String(allow_none=True)
    headers = fields.Dict()
    fields_ = fields.Dict(data_key="fields", attribute="fields")
    part_size = fields.Integer()
    parts = fields.List(fields.Nested(PartSchema))


class SendingSchema(Schema):
    asset = fields.Nested(AssetSchema)
    upload = fields.Nested(UploadSchema)


class NumbersSchema(Schema):
    numbers = fields.List(fields.Integer(strict=True), load_default=list, validate=validate.Length(max=100))


class PartsSchema(Schema):
    part_size = fields.Integer()
    count = fields.Integer()
    parts = fields.List(fields.Nested(PartSchema))
    arrived = fields.List(fields.Integer(), metadata={"description": "numbers of the parts that arrived whole"})


class CompletionSchema(Schema):
    sha256 = fields.String(validate=SHA256)


class AddressSchema(Schema):
    url = fields.String()
    expires_at = fields.DateTime()


class GrantSchema(Schema):
    """Leave to watch a screener, for an organisation or a person; both days are included."""
    id = fields.String(dump_only=True)
    organisation = Id(attribute="organisation_id", allow_none=True)
    person = Id(attribute="person_id", allow_none=True, metadata={"description": "who asked you for a screener"})
    email = Words(255, allow_none=True, metadata={
        "description": "the address of anybody else; the grant waits until somebody signs in with it"})
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    max_views = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, 10_000))
    download = Flag()
    views = fields.Integer(dump_only=True)
    ended_at = fields.DateTime(dump_only=True, allow_none=True)
    plays = fields.List(fields.Nested(lambda: PlaySchema()), dump_only=True)


class PlaySchema(Schema):
    person_id = fields.String()
    started_at = fields.DateTime()
    seconds = fields.Integer(metadata={"description": "how far it went, of the film"})


class BegunSchema(AddressSchema):
    id = fields.String()


class ProgressSchema(Schema):
    seconds = fields.Integer(strict=True, required=True, validate=validate.Range(0, 1_000_000))


class AddressQuery(Schema):
    download = fields.Boolean(load_default=False)


class PartySchema(Schema):
    id = fields.String()
    name = fields.String()


class ScreenerRequestSchema(Schema):
    """What an organisation asked of a seller, and how it was answered."""
    id = fields.String(dump_only=True)
    title_id = fields.String(dump_only=True)
    title = fields.String(attribute="title.original_title", dump_only=True)
    seller = fields.Nested(PartySchema, dump_only=True)
    organisation = fields.Nested(PartySchema, dump_only=True, metadata={"description": "who asks"})
    person = fields.Nested(PartySchema, dump_only=True)
    note = Words(500, least=0, allow_none=True)
    state = fields.String(dump_only=True, metadata={"description": "open, granted or declined"})
    asked_at = fields.DateTime(dump_only=True)
    answered_at = fields.DateTime(dump_only=True, allow_none=True)
    grant_id = fields.String(dump_only=True, allow_none=True)
    reply = fields.String(dump_only=True, allow_none=True, metadata={"description": "why it was declined"})


class RequestQuery(Schema):
    state = fields.String(validate=validate.OneOf(["open", "granted", "declined"]))


class GivingSchema(GrantSchema):
    """A grant that says of which screener. Where it answers a request, it is for the organisation that asked unless
    another or a person is named."""
    asset_id = Id(required=True, metadata={"description": "the screener"})


class DecliningSchema(Schema):
    reply = Words(500, required=True)
