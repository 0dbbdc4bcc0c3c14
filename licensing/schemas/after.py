"""What a list of licences is asked for."""
from marshmallow import Schema, fields, validate

from catalogue.schemas import Words
from licensing.after import windows


class WindowsQuery(Schema):
    side = fields.String(load_default="all", validate=validate.OneOf(windows.SIDES))
    standing = fields.String(load_default="current", validate=validate.OneOf(windows.STANDINGS))
    words = Words(200, least=0, data_key="q", load_default="", metadata={
        "description": "in a title’s names, a party’s name or the contract"})
    ends_by = fields.Date(load_default=None, allow_none=True, error_messages={
        "invalid": "Write the day as 2027-12-31."})
