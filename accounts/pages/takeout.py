"""An organisation's whole data, as a file."""
from flask import Response, render_template, request

from accounts import security
from accounts.pages import bp
from accounts.takeout import files
from accounts.takeout.tables import PARTS
from core.errors import Invalid
from core.http import writes


@bp.get("/data")
@security.permit("data.take")
def data():
    """What is in it, and the two forms it comes in."""
    return render_template("accounts/data.html", parts=PARTS)


@bp.post("/data")
@security.permit("data.take")
@writes
def take_data():
    """All of it."""
    form = request.form.get("as", "")
    if form not in files.FORMS:
        raise Invalid({"as": [f"Choose one of: {', '.join(files.FORMS)}."]})
    answer = Response(files.take_out(security.viewer(), form), mimetype=files.FORMS[form])
    answer.headers.set("Content-Disposition", "attachment", filename=files.filename(form))
    return answer
