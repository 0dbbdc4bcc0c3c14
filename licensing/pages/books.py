"""Books: mandates and deals done elsewhere, sent as a spreadsheet, tried dry, and loaded as chosen."""
from flask import Response, flash, redirect, render_template, request, url_for

from accounts import security
from core import http
from core.database import db
from core.errors import Conflict, Invalid
from licensing.books import uploads, workbooks
from licensing.books.columns import Kind, of
from licensing.books.models import State, Status
from licensing.pages import ON_A_PAGE, bp

LISTED = 20


@bp.get("/books")
@security.permit("books.load")
def list_books():
    """Send books, and see what was sent."""
    return _books_page()


def _books_page(errors=None, status=200):
    query, page = uploads.listing(security.viewer()), http.page_asked()
    total = db.session.scalar(db.select(db.func.count()).select_from(query.order_by(None).subquery()))
    return render_template("licensing/books.html", shown=db.session.scalars(
        query.limit(LISTED).offset((page - 1) * LISTED)).all(), page=page, pages=-(-total // LISTED),
        errors=errors or {}, typed=request.form, encodings=uploads.ENCODINGS, kinds=list(Kind),
        columns={kind: of(kind) for kind in Kind}), status


@bp.post("/books")
@security.permit("books.load")
@http.counts_as(http.UPLOAD)
@http.takes(uploads.MOST_BYTES + 100_000)
@http.writes
def send_books():
    """Take a file; what it says is read and tried dry by the worker."""
    filename, content = "", b""
    if file := request.files.get("file"):
        filename, content = file.filename, file.read()
        file.close()
    try:
        made = uploads.send(security.viewer(), filename=filename, content=content, holds=request.form.get("holds"),
                            encoding=request.form.get("encoding", ""))
    except Invalid as problem:
        db.session.rollback()
        return _books_page(problem.errors, 422)
    return redirect(url_for(".book", upload_id=made.id))


@bp.get("/books/template")
@security.permit("books.load")
@http.counts_as(http.PAPER)
def books_template():
    """A table with the columns and an example in each: of one kind as CSV, of both as a workbook."""
    kind = request.args.get("of")
    if kind not in list(Kind):
        return _file(workbooks.template(), workbooks.TYPE, "slate-books.xlsx")
    return _file(workbooks.template_csv(Kind(kind)), "text/csv; charset=utf-8", f"slate-{kind}.csv")


@bp.get("/books/<id:upload_id>")
@security.permit("books.load")
def book(upload_id):
    """One upload: how far it is, what each row would do or did, and what to do next."""
    return _book_page(upload_id)


def _book_page(upload_id, errors=None, status=200):
    upload = uploads.get(upload_id, security.viewer())
    chosen = request.args.get("status")
    chosen = chosen if chosen in list(Status) else None
    counts, page = uploads.counts(upload), http.page_asked()
    total = counts[chosen] if chosen else upload.total
    rows = db.session.scalars(uploads.rows_of(upload, chosen).limit(ON_A_PAGE).offset((page - 1) * ON_A_PAGE)).all()
    return render_template(
        "licensing/book.html", upload=upload, counts=counts, rows=rows, chosen=chosen, page=page,
        pages=-(-total // ON_A_PAGE), written=_written, errors=errors or {},
        under_way=upload.state in uploads.UNDER_WAY), status


def _written(upload, row) -> dict:
    """The cells of a row by their fields, as they were written."""
    places = upload.sheets[row.sheet]["places"]
    return {field: row.cells[place] if place < len(row.cells) else "" for field, place in places.items()}


@bp.post("/books/<id:upload_id>/load")
@security.permit("books.load")
@http.writes
def load_books(upload_id):
    """Record what was tried dry: all or nothing, or only the good rows."""
    upload = uploads.get(upload_id, security.viewer())
    try:
        uploads.load(upload, request.form.get("mode", ""))
    except (Conflict, Invalid) as problem:
        db.session.rollback()
        return _book_page(upload_id, {"": [problem.detail]}, problem.status)
    flash("It is being recorded. This page follows.")
    return redirect(url_for(".book", upload_id=upload_id))


@bp.get("/books/<id:upload_id>/answer.xlsx")
@security.permit("books.load")
@http.counts_as(http.PAPER)
def books_answer(upload_id):
    """What was sent, with what is wrong beside it."""
    upload = uploads.get(upload_id, security.viewer())
    if upload.state in (State.SENT, State.UNREADABLE):
        raise Conflict("This file has not been read.")
    name = upload.filename.rsplit(".", 1)[0]
    return _file(workbooks.answered(uploads.written(upload)), workbooks.TYPE, f"{name}-checked.xlsx")


def _file(content, type_, name):
    answer = Response(content, content_type=type_)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
