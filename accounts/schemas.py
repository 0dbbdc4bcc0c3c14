"""The shape of people, organisations and notices on the wire."""
from marshmallow import Schema, fields, validate

from accounts.permissions import Scope


class Flag(fields.Boolean):
    """True or false in JSON, and nothing that stands for it: "no" and 0 are mistakes of the sender."""

    def _deserialize(self, value, attr, data, **kwargs):
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class OrganisationSchema(Schema):
    id = fields.String(dump_only=True)
    name = fields.String()
    roles = fields.List(fields.String(), attribute="trades", metadata={"description": "seller, buyer, operator"})
    country = fields.String(allow_none=True)


class OrganisationQuery(Schema):
    role = fields.String(metadata={"description": "seller, buyer or operator"})


class PersonSchema(Schema):
    id = fields.String()
    name = fields.String()
    email = fields.String()


class MembershipSchema(Schema):
    id = fields.String(attribute="organisation.id")
    name = fields.String(attribute="organisation.name")
    roles = fields.List(fields.String())
    country = fields.String(attribute="organisation.country", allow_none=True)


class ActingSchema(Schema):
    id = fields.String(attribute="organisation_id")
    name = fields.String(attribute="organisation_name")


class MeSchema(Schema):
    person = fields.Nested(PersonSchema)
    organisations = fields.List(fields.Nested(MembershipSchema))
    acting_for = fields.Nested(ActingSchema, metadata={"description": "the organisation the token is for"})
    roles = fields.List(fields.String(), metadata={"description": "in the organisation you act for"})
    scopes = fields.List(fields.String(), metadata={"description": "how far the token reaches, within these roles"})


class RolesSchema(Schema):
    roles = fields.List(fields.String(), required=True)


class MemberSchema(RolesSchema):
    id = fields.String(dump_only=True)
    person = fields.Nested(PersonSchema, dump_only=True)


class InvitationSchema(RolesSchema):
    id = fields.String(dump_only=True)
    email = fields.String(required=True)
    made_at = fields.DateTime(dump_only=True)
    expires_at = fields.DateTime(dump_only=True)
    letters = fields.Integer(dump_only=True, metadata={"description": "sent so far"})
    refused = fields.String(dump_only=True, allow_none=True, metadata={"description": "what the mail server said"})


class TokenSchema(Schema):
    id = fields.String(dump_only=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(validate=validate.OneOf([each.value for each in Scope])), load_default=list)
    expires_on = fields.Date(required=True, load_only=True)
    made_at = fields.DateTime(dump_only=True)
    expires_at = fields.DateTime(dump_only=True)
    last_used_on = fields.Date(dump_only=True, allow_none=True)


class NewTokenSchema(TokenSchema):
    token = fields.String(dump_only=True, metadata={"description": "shown this once"})


class ApplicationQuery(Schema):
    state = fields.String(load_default="waiting", validate=validate.OneOf(("waiting", "decided")))


class ApplicationSchema(Schema):
    id = fields.String()
    state = fields.String()
    organisation_name = fields.String()
    country = fields.String()
    trades = fields.List(fields.String())
    name = fields.String(metadata={"description": "of who applies"})
    email = fields.String()
    about = fields.String()
    made_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)
    reason = fields.String(allow_none=True)
    organisation = fields.Nested(OrganisationSchema, allow_none=True)


class AdmissionSchema(Schema):
    organisation_name = fields.String(load_default=None, allow_none=True,
                                      metadata={"description": "where it should be called otherwise"})


class ApplicationDecliningSchema(Schema):
    reason = fields.String(required=True)


class NoticeSchema(Schema):
    id = fields.String()
    kind = fields.String()
    subject = fields.String()
    path = fields.String(metadata={"description": "of the page it is about"})
    said = fields.List(fields.String(), attribute="body.said")
    changes = fields.List(fields.Dict(), attribute="body.changes")
    todo = fields.String(attribute="body.todo", metadata={"description": "what you can do next"})
    at = fields.DateTime()
    seen_at = fields.DateTime(allow_none=True)


class SeenSchema(Schema):
    upto = fields.Integer(required=True, validate=validate.Range(1, 2**31 - 1),
                          metadata={"description": "the id of the latest notice that you saw"})


class WaysSchema(Schema):
    bell = Flag()
    mail = Flag()


class ChoicesSchema(Schema):
    choices = fields.Dict(keys=fields.String(), values=fields.Nested(WaysSchema), required=True)


class EditionSchema(Schema):
    """One market in one year; both days are included."""
    id = fields.String(dump_only=True)
    name = fields.String(required=True, validate=[
        validate.Length(1, 100), validate.Regexp(r"[^\W_][^\x00-\x1f\x7f]*\Z", error="This is no name of a market.")])
    year = fields.Integer(required=True, validate=validate.Range(1930, 2100))
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)


class ParticipantSchema(Schema):
    organisation = fields.String(required=True, metadata={"description": "its id"}, validate=validate.Regexp(
        r"[0-9]{1,9}\Z", error="There is no organisation with this id."))


class TakeoutSchema(Schema):
    form = fields.String(data_key="as", load_default="json", validate=validate.OneOf(["json", "xlsx"]))
