"""What every page is given: the words for rights, and what waits for the viewer."""
from accounts import security
from core import clock
from core.errors import NotSignedIn
from core.money import figure
from licensing import offers, terms, wording
from licensing.pages import bp
from licensing.workflow import State


@bp.app_context_processor
def waiting_counts():
    """What waits for the viewer, for the masthead."""
    def counts():
        try:
            return offers.counts(security.viewer())
        except NotSignedIn:
            return {"offers": 0, "approvals": 0}
    return {"nav_counts": counts, "today": clock.today, "wording": wording, "said": terms.parts,
            "names": wording.facet, "state_class": _state_class, "figure": figure}


def _state_class(state) -> str:
    """How a state is set: grave ends, good ends, and everything else plain."""
    if state in (State.SUPERSEDED, State.REJECTED, State.TERMINATED):
        return "stop"
    return "done" if state in (State.SIGNED, State.ACTIVE, State.APPROVED) else ""
