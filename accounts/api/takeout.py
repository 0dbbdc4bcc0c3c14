"""An organisation's whole data, as a file."""
from flask import Response, request

from accounts import security
from accounts.api import bp
from accounts.schemas import TakeoutSchema
from accounts.takeout import files
from core.errors import Invalid
from core.http import writes


@bp.post("/data")
@security.permit("data.take")
@writes
@bp.arguments(TakeoutSchema)
@bp.response(200, content_type="application/json")
@bp.alt_response(200, content_type=files.FORMS["xlsx"], success=True)
def take_data(data):
    """Everything that is your organisation's, as JSON or as a workbook. It is made while it is fetched."""
    if "Idempotency-Key" in request.headers:  # an answer of any size cannot be kept to be replayed
        raise Invalid({"Idempotency-Key": ["Send none: nothing is changed by this."]})
    form = data["form"]
    answer = Response(files.take_out(security.viewer(), form), mimetype=files.FORMS[form])
    answer.headers.set("Content-Disposition", "attachment", filename=files.filename(form))
    return answer
