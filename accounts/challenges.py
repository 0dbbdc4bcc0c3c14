"""What passkeys were asked to sign, and signed: each is taken once, so that an answer which somebody overheard opens
nothing."""
import hashlib
from datetime import datetime, timedelta

from sqlalchemy import String, delete, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from core import clock
from core.database import UtcDateTime, db

KEPT_FOR = timedelta(hours=1)  # longer than any of them may be answered


class Challenge(db.Model):
    """One that was answered."""
    __tablename__ = "challenge"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def use(challenge: str) -> bool:
    """Whether nobody answered it before. Of two at once the later one meets the first's row, and is begun again."""
    digest, now = hashlib.sha256(challenge.encode()).hexdigest(), clock.now()
    if db.session.scalar(select(exists().where(Challenge.digest == digest))):
        return False
    db.session.execute(delete(Challenge).where(Challenge.answered_at < now - KEPT_FOR))
    db.session.add(Challenge(digest=digest, answered_at=now))
    db.session.flush()
    return True
