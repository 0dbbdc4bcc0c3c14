"""The shape of people and organisations on the wire."""
from marshmallow import Schema, fields


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
