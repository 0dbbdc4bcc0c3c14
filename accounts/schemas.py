"""The shape of people, organisations and notices on the wire."""
from marshmallow import Schema, fields, validate


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


class MeSchema(Schema):
    person = fields.Nested(PersonSchema)
    organisations = fields.List(fields.Nested(MembershipSchema))
    roles = fields.List(fields.String(), metadata={"description": "in the organisation you act for"})


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
