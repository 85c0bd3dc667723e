"""Sends orders to the paper exchange."""

import json
import socket


def send_order(client_order_id: str, bot: str, side: str, symbol: str, quantity: str) -> str:
    """The price at which it was executed. Without an answer nobody knows whether it was."""
    order = {
        "client_order_id": client_order_id, "bot": bot, "side": side, "symbol": symbol,
        "quantity": quantity,
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect("exchange.sock")
        with connection.makefile("rw", encoding="utf-8") as stream:
            if stream.readline() != "ready\n":
                raise ConnectionError("the exchange is not there")
            stream.write(json.dumps(order) + "\n")
            stream.flush()
            answer = stream.readline()
    if not answer.endswith("\n"):
        raise ConnectionError("no answer; the order may have been executed")
    return json.loads(answer)["price"]
