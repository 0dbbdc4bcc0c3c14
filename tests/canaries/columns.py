"""Which columns of the database hold a canary, and why the others need none."""
from sqlalchemy import select

from core.database import db


def holding(find) -> dict[str, set[str]]:
    """{table.column: its canaries} of every column of every table."""
    found = {}
    for table in db.metadata.sorted_tables:
        found |= {f"{table.name}.{column.name}": set() for column in table.columns}
        for row in db.session.execute(select(table)).mappings():
            for column, value in row.items():
                said = f'"year": {value}' if column == "year" else text(value)
                found[f"{table.name}.{column}"] |= find(said)
    return found


def text(value) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def ids() -> dict[str, set[int]]:
    """{table: its ids}."""
    return {table.name: set(db.session.scalars(select(table.c.id))) for table in db.metadata.sorted_tables
            if "id" in table.c}


PLAIN = {  # why a column needs no canary → the columns; what is said of them is still compared with the twin's answers
    "one word of a closed list, or a mark": """
        alert.kind alert_day.kind api_token.scopes application.country application.state application.trades
        approval_policy.below_floor approval_policy.currency approval_policy.encumbrance
        approval_policy.exclusive approval_policy.warning asset.kind asset.language asset.state asset.track
        asset.type asset_grant.download audit.action audit.subject basket_line.exclusive basket_line.future
        basket_line.hereafter books_row.effect books_row.status books_upload.encoding books_upload.holds
        books_upload.mode books_upload.state hold.exclusive hold.future hold.hereafter holdback.binds
        holdback.hard instalment.currency instalment.trigger invitation.roles line.exclusive line.future
        line.hereafter long_form_step.state mailing.kind material.kind material.language material.state
        material_step.action material_step.side material_step.to_state membership.roles memo_signature.side
        notice.bell notice.kind notice_choice.bell notice_choice.kind notice_choice.mail offer.author
        offer.currency offer.started_by offer.state offer_line.exclusive offer_line.future offer_line.hereafter
        offer_step.action offer_step.from_state offer_step.side offer_step.to_state offer_version.side
        option.kind outbox.topic passkey.backup_state passkey.device_type passkey.transports passkey.usage
        person.active person.tf_primary_method refusal.state saved_search.tells title.countries title.kind
        title.languages title.original_language title.status title_link.kind title_name.kind title_name.language
        title_synopsis.language webhook.active webhook.events webhook_delivery.event webhook_delivery.state""",
    "when something was done: the clock's": """
        address_change.asked_at address_change.new_at address_change.old_at alert.made_on alert.told_at
        alert_day.day api_token.expires_at api_token.last_used_on api_token.made_at application.decided_at
        application.made_at approval_policy.set_at asset.changed_at asset.created_at asset.swept_at
        asset_grant.created_at asset_grant.ended_at audit.at basket_line.added_at books_upload.loaded_at
        books_upload.sent_at brief.made_at brief.open_until challenge.answered_at
        hold.counts_from hold.counts_until hold.recorded_at
        holdback.counts_from holdback.counts_until holdback.recorded_at idempotency_key.made_at
        instalment.cancelled_on instalment.reached_on invitation.accepted_at invitation.expires_at
        invitation.made_at invitation.revoked_at licence.recorded_at line.counts_from line.counts_until
        line.recorded_at long_form_step.at long_form_step.happened_on mailing.at mandate.recorded_at
        material.answer_by material_step.at memo.issued_at memo_signature.at notice.at notice.mailed_at
        notice.seen_at offer.created_at offer.updated_at offer_step.at offer_version.created_at
        option.counts_from option.counts_until option.recorded_at organisation.suspended_at outbox.not_before
        outbox.put_at override.at passkey.lastuse_datetime payment.at payment.paid_on payment.undone_at
        play.started_at play.told_at refusal.answer_by refusal.answered_at refusal.asked_at remark.at
        saved_ledger.saved_at saved_search.checked_at saved_search.made_at saved_search_news.found_at
        saved_search_news.seen_at screener_request.answered_at screener_request.asked_at session.made_at
        session.seen_at title.created_at title.updated_at title_event.recorded_at title_link.created_at
        webhook.failing_since webhook.former_until webhook.made_at webhook.not_before webhook_delivery.made_at
        webhook_delivery.not_before webhook_delivery.tried_at""",
    "a place, a count or a small number": """
        alert.days alert.ends_on alert.link_id approval.version approval_policy.years asset.focal_x
        asset.focal_y asset.size asset_grant.max_views asset_grant.views audit.place basket_line.runs
        books_row.number books_row.sheet books_upload.done books_upload.reached books_upload.total change.xid
        hold.rank hold.runs instalment.days instalment.number invitation.letters line.runs material.qc_days
        memo.version offer.number offer.revision offer_line.position offer_line.runs offer_step.version
        offer_version.number option.days outbox.attempts override.version passkey.sign_count payment.withheld
        person.totp_counter play.seconds rendition.height rendition.size rendition.width rights_clock.version
        saved_search.place title.number title.revision title.runtime_minutes title_credit.position
        title_name.position webhook.failures webhook.revision webhook_delivery.attempts webhook_delivery.status""",
    "a digest, a key that is random, or nothing that is ever shown": """
        address_change.key api_token.digest application.digest approval.terms_sha256 asset.key asset.sha256
        asset.upload_id audience.key audit.hash basket_line.said books_upload.content brief.token
        challenge.digest
        idempotency_key.fingerprint idempotency_key.headers idempotency_key.status invitation.digest mailing.key
        memo.sha256 memo_signature.sha256 outbox.error passkey.extensions passkey.public_key
        person.fs_uniquifier person.fs_webauthn_user_handle person.mf_recovery_codes person.password
        person.tf_totp_secret saved_ledger.server saved_ledger.token saved_search.known session.digest
        term_set.codes term_set.key webhook.former_secret webhook.secret webhook_delivery.key""",
    "names of axes, words of our own, or what another column says in full": """
        application.reason asset_grant.starts_on audit.before audit.origin basket_line.ends_on basket_line.tba
        basket_line.written brief.left_out hold.note hold.tba hold.written holdback.ends_on holdback.starts_on
        holdback.tba holdback.written invitation.name invitation.refused line.ends_on line.leaves line.note
        line.tba line.written mailing.address memo_signature.organisation notice.path notice.refused
        offer_line.pricing offer_line.starts_on offer_line.written offer_step.first_day_gone option.note
        option.written override.text override.warning rendition.name webhook.why_off webhook_delivery.answer
        webhook_delivery.body""",
    "everybody may know it": """
        edition.ends_on edition.name edition.starts_on edition.year organisation.country organisation.name
        organisation.trades"""}
