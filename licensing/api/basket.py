"""A buyer's basket."""
from accounts import security
from catalogue import titles
from core import http
from core.errors import Invalid
from licensing import basket, terms
from licensing.api import bp
from licensing.schemas.basket import BasketLineSchema, BasketSendingSchema, NewBasketLineSchema
from licensing.schemas.offers import OfferListedSchema


@bp.post("/basket")
@security.permit("basket.keep")
@http.writes
@bp.arguments(NewBasketLineSchema)
@bp.response(201, BasketLineSchema)
def put_into_basket(data):
    """Put a title and what you ask of it into your basket. The same twice is one line."""
    viewer = security.viewer()
    title = titles.find(data.pop("title_id"), viewer)
    if title is None:
        raise Invalid({"title_id": ["There is no such title."]})
    return basket.add(title, terms.read(data), viewer)


@bp.get("/basket")
@security.permit("basket.keep")
@bp.response(200, BasketLineSchema(many=True))
def show_basket():
    """Your basket, by seller: each line with what is free of it just now."""
    viewer = security.viewer()
    some = basket.lines(viewer)
    answers = basket.answers(some, viewer)
    for line in some:
        line.answer = answers[line.id]
    return some


@bp.delete("/basket/<id:line_id>")
@security.permit("basket.keep")
@http.writes
@bp.response(204)
def take_out_of_basket(line_id):
    """Take a line out of your basket."""
    basket.remove(security.viewer(), line_id)


@bp.post("/basket/sending")
@security.permit("basket.keep")
@http.writes
@bp.arguments(BasketSendingSchema)
@bp.response(201, OfferListedSchema(many=True))
def send_basket(data):
    """Send lines of your basket, one offer for each seller: a request for a price, or an offer. All, or none."""
    return basket.send(security.viewer(), data["offers"])
