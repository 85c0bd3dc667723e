"""A bot's task: one signal, one order. There are two versions; three lines differ."""

from bots_app import app
from exchange import send_order
from tradeledger import celery_task


@app.task(bind=True, max_retries=None)
@celery_task("ledger.db")
def execute_trade(task, trades, bot, side, symbol, quantity):
    with trades.trade(bot, side, symbol, quantity) as trade:
        trade.filled(price=send_order(trade.key, bot, side, symbol, quantity))
