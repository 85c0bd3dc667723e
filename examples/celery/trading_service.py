"""The trading service of the first incident: reads the cooldown, decides, trades, inserts.

Each step is right, and each process does it in this order. Nothing holds the others back between
the first step and the last: whoever reads before the first one inserts trades as well.
"""

import contextlib
import functools
import sys
import uuid
from datetime import datetime, timedelta, timezone

from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Bot(Base):
    __tablename__ = "bots"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    cooldown_seconds: Mapped[int]


class Trade(Base):
    __tablename__ = "trades"
    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"))
    key: Mapped[str]
    side: Mapped[str]
    symbol: Mapped[str]
    quantity: Mapped[str]
    price: Mapped[str]
    created_at: Mapped[datetime]

    def filled(self, price: str) -> None:
        self.price = price


class CoolingDown(Exception):
    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"cooldown remaining: {wait}")
        self.retry_after = wait.total_seconds()


class TradingService:
    def __init__(self, path: str) -> None:
        self._engine = create_engine(f"sqlite:///{path}")

    @contextlib.contextmanager
    def after_cooldown(self, bot, side, symbol, quantity):
        with Session(self._engine) as session:
            known = session.scalars(select(Bot).where(Bot.name == bot)).one()
            last = session.scalar(select(func.max(Trade.created_at)).filter_by(bot_id=known.id))
            if last is not None:
                wait = last + timedelta(seconds=known.cooldown_seconds) - _now()
                if wait > timedelta():
                    raise CoolingDown(wait)
            trade = Trade(
                bot_id=known.id, key=str(uuid.uuid4()), side=side, symbol=symbol, quantity=quantity
            )
            yield trade  # the task sends its order to the exchange
            trade.created_at = _now()
            session.add(trade)
            session.commit()


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def trading_task(path: str):
    """Gives a task its trading service, and tries again after the cooldown."""

    def decorate(body):
        @functools.wraps(body)
        def run(task, *args, **kwargs):
            try:
                return body(task, _service(path), *args, **kwargs)
            except CoolingDown as cooling:
                raise task.retry(exc=cooling, countdown=cooling.retry_after) from cooling

        del run.__wrapped__  # Celery checks a sender's arguments against the signature
        return run

    return decorate


@functools.cache
def _service(path: str) -> TradingService:
    return TradingService(path)


if __name__ == "__main__":  # trading_service.py DATABASE COOLDOWN_SECONDS BOT...
    database = create_engine(f"sqlite:///{sys.argv[1]}")
    Base.metadata.create_all(database)
    with Session(database) as session:
        session.add_all(Bot(name=name, cooldown_seconds=int(sys.argv[2])) for name in sys.argv[3:])
        session.commit()
