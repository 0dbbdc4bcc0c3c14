"""Who belongs to one's organisation, who is invited, and one's own tokens."""
from accounts import invitations, members, security, tokens
from accounts.api import bp
from accounts.schemas import InvitationSchema, MemberSchema, NewTokenSchema, RolesSchema, TokenSchema
from core import http


@bp.get("/members")
@security.permit("member.see")
@bp.response(200, MemberSchema(many=True))
def list_members():
    """Who belongs to your organisation, and their roles there."""
    return members.listing(security.viewer())


@bp.patch("/members/<id:membership_id>")
@security.permit("member.manage")
@http.writes
@bp.arguments(RolesSchema)
@bp.response(200, MemberSchema)
def change_member(data, membership_id):
    """Give a member exactly these roles."""
    return members.change(security.viewer(), membership_id, data["roles"])


@bp.delete("/members/<id:membership_id>")
@security.permit("member.leave")
@http.writes
@bp.response(204)
def remove_member(membership_id):
    """End a membership, at once, and its tokens with it: a member's as their administrator, or your own."""
    members.remove(security.viewer(), membership_id)


@bp.get("/invitations")
@security.permit("member.manage")
@bp.response(200, InvitationSchema(many=True))
def list_invitations():
    """Invitations into your organisation that were not used, expired ones too."""
    return invitations.listing(security.viewer())


@bp.post("/invitations")
@security.permit("member.manage")
@http.writes
@bp.arguments(InvitationSchema)
@bp.response(201, InvitationSchema)
def invite(data):
    """Invite an address into your organisation; a link goes there by mail, which works once, for seven days."""
    return invitations.invite(security.viewer(), data["email"], data["roles"])


@bp.post("/invitations/<id:invitation_id>/sending")
@security.permit("member.manage")
@http.writes
@bp.response(202, InvitationSchema)
def send_invitation(invitation_id):
    """Send it again with a new link, for another seven days; the old link opens nothing any more."""
    found = invitations.get(security.viewer(), invitation_id)
    invitations.send_again(found)
    return found


@bp.delete("/invitations/<id:invitation_id>")
@security.permit("member.manage")
@http.writes
@bp.response(204)
def revoke_invitation(invitation_id):
    """Take an invitation back."""
    invitations.revoke(security.viewer(), invitation_id)


@bp.get("/tokens")
@security.permit("token.keep")
@bp.response(200, TokenSchema(many=True))
def list_tokens():
    """Your own tokens for the organisation you act for."""
    return tokens.listing(security.viewer())


@bp.post("/tokens")
@http.shows_once("token")
@security.permit("token.keep")
@http.writes
@bp.arguments(TokenSchema)
@bp.response(201, NewTokenSchema)
def make_token(data):
    """A new token, shown this once. It reaches no further, and lives no longer, than the one it is made with."""
    made, secret = tokens.issue(security.viewer(), **data)
    return {**{name: getattr(made, name) for name in ("id", "name", "scopes", "made_at", "expires_at")},
            "last_used_on": None, "token": secret}


@bp.delete("/tokens/<id:token_id>")
@security.permit("token.keep")
@http.writes
@bp.response(204)
def revoke_token(token_id):
    """Revoke a token of yours: it calls nothing any more."""
    tokens.revoke(security.viewer(), token_id)
