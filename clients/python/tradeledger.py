"""A trade ledger that any number of processes share: the client for Python workers.

    from tradeledger import Ledger

    ledger = Ledger("/var/lib/bots/ledger.db")
    with ledger.trade("momentum", "buy", "BTC-USD", "0.25", key=signal_id) as permit:
        price = exchange.send(client_order_id=permit.key, expires=permit.valid_until)
        permit.filled(price=price)

Two processes that ask for the same bot at the same time get one permit and one `Denied`, whatever
they are written in and whenever they are killed. This module works on the same file as the Swift
library and the command `tradeledger`, by the same rules, and needs nothing but the standard library
of Python 3.11 on Linux. It makes no ledgers: `tradeledger init` and `tradeledger bot add` do.

Refusals are exceptions here, so that code that forgets to look at an answer does not trade:

- `Denied`: not now, or never. Nothing was written.
- `Busy`: no answer within the wait limit. Nothing was written; repeat with the same key.
- `OutcomeUnknown`: nobody knows what is on the disk. Send no order, look the key up.
- `LedgerError`: the ledger could not answer. `code`, `hint` and `retry` say what to do.

A ledger is opened in the process that uses it and never crosses a fork. All methods may be called
from any thread; one call works at a time.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import datetime
import decimal
import errno
import functools
import hashlib
import inspect
import logging
import os
import random
import re
import secrets
import select
import socket
import sqlite3
import stat
import struct
import sys
import threading
import time
import unicodedata
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, Protocol, TypeVar

__version__ = "0.1.0"
__all__ = [
    "Answer", "Bot", "Busy", "Denial", "Denied", "Ledger", "LedgerError", "OrderNotSent",
    "OutcomeUnknown", "Permit", "Reading", "Replayed", "SystemClock", "TaskLedger", "TooLate",
    "Trade", "TradePermit", "celery_task",
]  # fmt: skip

# >>> Written by generate.py: do not edit.
# The layout of schema.sql, and the fingerprint of each of its objects.
_APPLICATION_ID: Final = 1414679620
_LAYOUT: Final = 4
_SCHEMA: Final = {
    "bot_fixed": "c5b3b459c277e50b3464524e140f9c11",
    "bot_id": "78d6001fc4004173f9a02f346b601119",
    "bot_kept": "2e32e9baebddca798f4aecf41e60d45a",
    "bot_shape": "dcc1790405047931d17e5dfc4b8c9f25",
    "bots": "b75cebad0981009bdb8472b22bc02384",
    "bots_seal": "1e3492c9f6d2bda9494e8bd73b7ddc0e",
    "clock": "3cd1f9d25d63d6109ab52c71863be3f5",
    "conflict_fixed": "d5730eda5809df1f472ade3a199333f3",
    "conflict_id": "d13d9893ddada1597d859048579fa67d",
    "conflict_kept": "3609fbd91c6b4d932228f406670b0694",
    "conflict_shape": "674a974de03845640c3696f4d701ccda",
    "conflicts": "089c24fcb2d4f378c8f8d7beb3d12426",
    "conflicts_of_trade": "b1b780a184d69f514aa5b438854b4e03",
    "conflicts_seal": "b9e36fc7acef6ba37349907d443ce54f",
    "cooldowns": "ce74e42fdb6a370ae9112f701183dc9d",
    "counted_trades": "51bf6e65bceb5b108b276a9bcdefc273",
    "current_settings": "6400917dbd79fda23733c1699ce36e15",
    "double_trades": "078f78cef18f1c405697083add198aa6",
    "doubted": "846e751b77425d6203fb10e07f53bff7",
    "instance_epoch": "cb467ee57a11e0c55a760b801e8db450",
    "instance_kept": "0807151a76a3f17c6364c61907d749bf",
    "instance_shape": "aef4cdf66b6fe1d286a3c646ab17da5f",
    "instances": "0671db11f06db1da2c70c4f31aab2a6e",
    "last_conflict": "d55a2167e26c01bdb321217538a0f16e",
    "last_trade": "2af0db43ad3a54a75fcaabe7d0c8ee16",
    "last_trade_of_boot": "c4b3d1a78280a1999aa6ac7ea4436d39",
    "ledger": "2fe03e865ec1b44d51f78af02f1f71c0",
    "ledger_fixed": "9a400ba4f7999e9f980229264b97af75",
    "ledger_kept": "3de9f08f5a1b37c2fa78dcf85b7b60db",
    "ledger_seal": "6e4cd6eb2952659fa339a169431cc9b5",
    "ledger_shape": "a21fb88ee96fe69d6c73e38bbb578209",
    "occupying_trades": "d2a6f40fdccca3de0f21ba862e36d23f",
    "one_pending": "b7eb8e7d63520ec80cfee50914b78b39",
    "open_trades": "425bc06b8a29c8e232a00ed85695b7fc",
    "restore_fixed": "bafd8157c26f6095e111dfbd3e0e6468",
    "restore_kept": "8f6b911a21bf39aedd455cfc6aa51935",
    "restore_shape": "b2557424f48eef0bd543c787e206c2c4",
    "restores": "019517e1d4590fd1431656aaa994c275",
    "restores_seal": "3c55dad875bdd84d150f8ba031b1f92c",
    "settings": "06afc7df3d455e080b76a0c31089bdcd",
    "settings_fixed": "742081e687da466ead76fd9c6143e37e",
    "settings_id": "d6dd9f0b9b91901c9a673f19486028d0",
    "settings_kept": "58056de0124d268a04f11ff177f15b8f",
    "settings_of_bot": "4c1f7c2a6635ca4d856de34eb5eea739",
    "settings_seal": "cbb2f1773e990469c7a2cbda6fb40661",
    "settings_shape": "994c032f2b9acddbfce54fcf2afb04be",
    "trade_after_restore": "e50722102f9d6e4bd7b36bcbbca5ad84",
    "trade_alone": "6c0d6e6afd19130768878352f1fbb36a",
    "trade_bot": "32f1d67c79f6595e6b2b90c3e1e07e5e",
    "trade_clock": "c143b7c2f80db46abda8b90d5b381a74",
    "trade_cooldown": "952080a15ae7b9c18eae7b0c1517f278",
    "trade_doubt": "d32b77b0b278bd741f41381c4f9bbf7e",
    "trade_fence": "32b055c71f684efbf7b49d95d8b0bb4b",
    "trade_id": "4e89c248b5cd37fb8babab5e4f7f71da",
    "trade_immutable": "eaf32652437348c37462758ded4d5419",
    "trade_kept": "d5f92ecb835bd564ed2a189e5ffea910",
    "trade_key": "47a032230f093e04595d993991e86ef2",
    "trade_settled": "612f7cc65a67b838fd85de892def887b",
    "trade_shape": "a590491c11adf0e49565d86799b04f9d",
    "trade_token": "0917e2c97dcd978c8390ce9668eb8387",
    "trade_transition": "6d3920a006c701b258540975e569be51",
    "trades": "72570650ca0c484f9979a65a27cbd279",
    "trades_seal": "d197239231d06ef25286e9e6422549cc",
}
# The fingerprint of schema.postgres.sql, and what a server is asked for its own.
_SERVER_SCHEMA: Final = {
    "constraint bots_id_check on bots": "6c6627418c564baa9cad0042577031a2",
    "constraint bots_name_key on bots": "c3609dcc53ca222196b1b53118516e8b",
    "constraint bots_pkey on bots": "954b5a6d0adafa181f1e348d5f9c019d",
    "constraint conflicts_at_check on conflicts": "a021e212877687e28eb0c4105c8bb39f",
    "constraint conflicts_bot_id_fkey on conflicts": "3c0c7d34117b5c4939e7850e4cf0afd0",
    "constraint conflicts_check on conflicts": "7b629cbb8ce590ead7db1c556b687ccb",
    "constraint conflicts_id_check on conflicts": "6c6627418c564baa9cad0042577031a2",
    "constraint conflicts_kind_check on conflicts": "d309903d71cbdcf448579315bfacee4e",
    "constraint conflicts_pkey on conflicts": "954b5a6d0adafa181f1e348d5f9c019d",
    "constraint conflicts_trade_id_fkey on conflicts": "d7bfb291f90ee0c5ae94e824be47148a",
    "constraint instances_epoch_check on instances": "c57ee931b41a32cbfaafe5f51f59a135",
    "constraint instances_pkey on instances": "3ebcb027042d9424ee6055cb5fe48d08",
    "constraint ledger_created_at_check on ledger": "c78990945710b818f2b549542862ee7f",
    "constraint ledger_id_check on ledger": "0e62aa2affe6f75bbd080bad0b0610b8",
    "constraint ledger_mode_check on ledger": "8989179a28a3b77150f15456269202a1",
    "constraint ledger_pkey on ledger": "954b5a6d0adafa181f1e348d5f9c019d",
    "constraint restores_at_check on restores": "a021e212877687e28eb0c4105c8bb39f",
    "constraint restores_check on restores": "7b629cbb8ce590ead7db1c556b687ccb",
    "constraint restores_id_check on restores": "6c6627418c564baa9cad0042577031a2",
    "constraint restores_pkey on restores": "954b5a6d0adafa181f1e348d5f9c019d",
    "constraint settings_at_check on settings": "a021e212877687e28eb0c4105c8bb39f",
    "constraint settings_bot_id_fkey on settings": "3c0c7d34117b5c4939e7850e4cf0afd0",
    "constraint settings_cooldown_us_check on settings": "921f2c5cbce060c4b42ed8da96e0d701",
    "constraint settings_enabled_check on settings": "061eb1a87c1bb058ee60472a6d552db2",
    "constraint settings_id_check on settings": "6c6627418c564baa9cad0042577031a2",
    "constraint settings_in_doubt_check on settings": "e97e3115f34a8f2a37806d7530ed4986",
    "constraint settings_lease_us_check on settings": "7fd052212e3a886f6a19d0fea2cd5699",
    "constraint settings_pkey on settings": "954b5a6d0adafa181f1e348d5f9c019d",
    "constraint trades_key_key on trades": "85b881247b010182cbde8b574ca5277c",
    "constraint trades_pkey on trades": "954b5a6d0adafa181f1e348d5f9c019d",
    "function acquire": "6470d5b62f523b2400fa28bed922ae55",
    "function add_bot": "0dacd838c48c705dbcb8e8c6686fa383",
    "function attempt": "320b93629b6f717767a3bf7c8507fa3a",
    "function begin_writing": "a75fb285a449c8a2daaaf175ad82cda3",
    "function bot_new": "59b14702ef325b1247a27c5ec6a9663e",
    "function bot_said": "f6897a872798b30d4573911c41ae73b9",
    "function change_bot": "050d286b97d79ca1a0f75bb2153ab7eb",
    "function check_bot": "4bfbb94a5a42de054ba48129ce2886b4",
    "function conflict_new": "9029edc838b3def8daa676505d529c81",
    "function copy_begins": "fa5e5a2bdb3f14fe26c6376e47763fe8",
    "function copy_ends": "893abfa6f1d7e75a05978750439722e0",
    "function enter": "672bfb60556f16bd53d622b2d7d38d24",
    "function evict": "3db0e24c21a689dd11d8669deab19cfb",
    "function instance_said": "d1f920a0dd7f5d53251c5ff26e991068",
    "function instance_write": "23bca47b857612079bf571fae7dcebdc",
    "function is_amount": "9c65f9377c0ad7fb828dbf7b8e24bfe1",
    "function is_attempt": "efc06ff5170f3bccc1ec978779480a9c",
    "function is_live": "a6c1ad6262e97eb077e850735cfbbf93",
    "function is_name": "b4ee9bc416888bbef47e09cec5cfdd21",
    "function is_now": "93667823fc6e1e1acbd02a05d851fbc0",
    "function is_visible": "6130d882267b3651a42667ba67279fe0",
    "function layout": "f5297a902980e2b8fa7dd80c65307162",
    "function lock_bot": "495591fb9688248159f21ac8dcf7f4be",
    "function make_ledger": "77052c25b4b5ac8cdf64f3e7195c588a",
    "function now_of": "d4567d01ce77976286dc7b24beb53842",
    "function refuse": "06a889fc81abea14eca3248001fc0325",
    "function release": "b8339c76269cb8e7f54cf2f318619965",
    "function renew": "2ce472284172b2815bcab31c6afdf445",
    "function replayed": "dd8e35cf83ad77dd8d83b263e51ba710",
    "function resolve": "e8d5609c32f2239eeb5a72bdb7e380ed",
    "function restore_new": "0b2d310317579680ae46780561066111",
    "function restored": "b92894a1dbc73d0056d3c9f969679cbc",
    "function rfc3339": "2380cc36797a2bafa457622733df6bc5",
    "function server_now": "093c315e290d1188bc9e14db74abd80a",
    "function settings_new": "6d2f1577abb99e9aa6ed854ae6f51ef2",
    "function settle": "44d4d3144c2098f8de019630aa490adc",
    "function settle_as": "f08b1c81269dba584837c78eafb00f22",
    "function status": "f53e7e2b8afb732e26be7f00e7af3e65",
    "function trade_change": "34988b02f091405270f44139eb7673ca",
    "function trade_new": "78c275fe4ef9671c9bd10de05696be90",
    "function with_trade": "e0df8b88e9dc952eabfe1f56175a1a69",
    "function with_winner": "2aa5a8abf7d67723dfee36947e647000",
    "function work": "d63a938a4f7d04976274d9da9f57cc2d",
    "index bots_name_key": "86e94ed3beee3478bc1eaab3e28a96a0",
    "index bots_pkey": "5658d841260887471810919771992300",
    "index conflicts_of_trade": "63d68fee1230f5670eb09ff772bd9ac7",
    "index conflicts_pkey": "9217531003fb023c608b853cc92ee744",
    "index instances_pkey": "5dd6795485a94cc7876831e969435abc",
    "index last_conflict": "4cb553b6f64965faf537673f92fb7b42",
    "index last_restore": "73e0fd39016c96f8176e261eece04aea",
    "index last_trade": "82ddcc6f5ec1c56e2c4c19a70a1eddc4",
    "index ledger_pkey": "394b24e536f35a41c192210c5416a2a0",
    "index one_pending": "0f41dd2991283865df00060267df5136",
    "index restores_pkey": "812b2421cd94284a7601e5a62b794dfb",
    "index settings_of_bot": "9428f331eb41620cdeba9c2b01f74666",
    "index settings_pkey": "c73f645c28c39da62326de89327f2654",
    "index trades_key_key": "18df1d2f3b8f5adcc22a74ef9a2e630b",
    "index trades_pkey": "23c18b3d238a6c4ad3b52caa7a84a5ac",
    "index unsettled": "3888117bd6e226b60970b00c71cc0bf2",
    "role tradeledger_worker": "a9fe9a6002fda055a6d7000232bc2b96",
    "schema tradeledger": "c3fce0d114e16c0a47ab770eb1e54544",
    "sequence bots_id_seq": "2b94185c0c714d010d84b0ebadb7da0f",
    "sequence conflicts_id_seq": "2b94185c0c714d010d84b0ebadb7da0f",
    "sequence restores_id_seq": "2b94185c0c714d010d84b0ebadb7da0f",
    "sequence settings_id_seq": "2b94185c0c714d010d84b0ebadb7da0f",
    "sequence trades_id_seq": "2b94185c0c714d010d84b0ebadb7da0f",
    "table bots": "5607a641fa874564fc36dcb991de052e",
    "table conflicts": "439aae25e092fedab572b44cd2b1aa4a",
    "table instances": "d1a02288e2e9331492b36bf4ba5685eb",
    "table ledger": "dad3f083ffdadd7c1698b3f9c8642fe4",
    "table restores": "e7f1cbc952ea68bf9f117e975094ce31",
    "table settings": "3e7b28ac00f6afc69a319ee8f8ed23ab",
    "table trades": "a079b14e7bc129c7fb9036604941cb03",
    "text of view bot_rows": "cdd46f70757bf6d856c3100f81b07a6f",
    "text of view conflict_rows": "579a804a14895c1ff691bbe5eef3f4fb",
    "text of view cooldowns": "34007b01889bb60997a60bb1b484a4d8",
    "text of view counted_trades": "bc89d14a6ac4a5a8bbe678e889207888",
    "text of view current_settings": "a04b6713e8a5b01226e8773331bf26fc",
    "text of view double_trades": "f634f169122134d02c57c1410ea0a5aa",
    "text of view instance_rows": "ebca44739bd299717fb07b8f36809857",
    "text of view ledger_row": "1aa1ef1b74dde7472150f2cea45fa0ba",
    "text of view occupying_trades": "9cad14553bd5a1343529b1051c2d0c73",
    "text of view open_trades": "e194535e877ff2e277b970a4d11f5209",
    "text of view restore_rows": "915bc5ff0483adccb0b00a68259db5b8",
    "text of view trade_rows": "1c13472dde6edf7d9eccb63689f9f82a",
    "trigger all_ledger_kept on ledger": "489e6b3122eba598e76b9b4245a7c550",
    "trigger all_settings_kept on settings": "99f4aa614c7851b44bdc0c853558ddc0",
    "trigger bot_fixed on bots": "935c9f91f438f0f273def612901f5175",
    "trigger bot_kept on bots": "c4e18502035ddf15ad098b7d31afd710",
    "trigger bot_new on bots": "88a8b5a0a97ee18073d455fbebe64a09",
    "trigger bots_kept on bots": "4dbc5a63b559b4d250fdcb6f068888b4",
    "trigger conflict_fixed on conflicts": "223ec1ce6c0d59df7864c862b7d3c99c",
    "trigger conflict_kept on conflicts": "fa2e2c27dda4d90dc8ad9c2c0909a169",
    "trigger conflict_new on conflicts": "96728ab327c454367ebe2de35bad8295",
    "trigger conflicts_kept on conflicts": "f59b129e96ec3fda168e51df854b995e",
    "trigger instance_kept on instances": "c3698d643d563504fa64e75470f994b3",
    "trigger instance_write on instances": "9df76f3f774b8f3a033f23ea8e2122c5",
    "trigger instances_kept on instances": "2f58f8b7c2f7f589a4216c4634c5aaa7",
    "trigger ledger_fixed on ledger": "da06427206c05ed83e6490cd8d1dba45",
    "trigger ledger_kept on ledger": "87fb181b48352442820a76ac885dca36",
    "trigger restore_fixed on restores": "2ac36317ad479030956a8b3a8ff12adc",
    "trigger restore_kept on restores": "5bc83b505a6a470b959ec4a3ff15c68c",
    "trigger restore_new on restores": "3d0957683299801c8f923b49a3743de4",
    "trigger restores_kept on restores": "3bf49ce84ab61ec7e0e6a2d0a326884c",
    "trigger settings_fixed on settings": "5afc0f150caad765b625638cdace1f71",
    "trigger settings_kept on settings": "b7bcc0fbd8079d477a6f0503d047f2d1",
    "trigger settings_new on settings": "2bff1a3007eb38b85b41360beb128834",
    "trigger trade_change on trades": "84fb41fc92fcb4c8121e509f4633b481",
    "trigger trade_kept on trades": "d94e2063cfd310c2304d2c8a2b995bf5",
    "trigger trade_new on trades": "65d460b46a7389302310a4467131ac19",
    "trigger trades_kept on trades": "328054715c4ae60090de75ae6aee13d2",
    "type answer": "43e924f53a81580b01d220bd5a0f9705",
    "type bot_answer": "9707abaa20a7dd25cc092272729a98f2",
    "type element": "5040845048eda0cccefa5a9bc6dd8f8b",
    "type instance_answer": "e1a3b9b0f478b01e1c73f00c96130d96",
    "view bot_rows": "201846c187e999d3ff7650a58e862eb8",
    "view conflict_rows": "b0ffe53abe0aadaed0b445d2a59bf0e5",
    "view cooldowns": "6454e837c7ee56a27605be7b1225b904",
    "view counted_trades": "12f2e6ac0a3e55df1a7f5fe4766fe122",
    "view current_settings": "002480b3199a83ded4904b248c610df3",
    "view double_trades": "8f8968769348f255b99aca0a1e0e786e",
    "view instance_rows": "ff9db9c305bd0028bbe39fd9cd05f271",
    "view ledger_row": "68779e2738ae2b6bc3a27712a2ebd31e",
    "view occupying_trades": "12f2e6ac0a3e55df1a7f5fe4766fe122",
    "view open_trades": "34a2e36ca15bcb88df56974e82e439fc",
    "view restore_rows": "7a82825224e4315b1290b535fc457219",
    "view trade_rows": "12f2e6ac0a3e55df1a7f5fe4766fe122",
}
_SERVER_FINGERPRINT: Final = """
WITH place AS (
  SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'tradeledger'
), relation AS (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, ROW(c.relpersistence,
      c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
      EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid))::text AS facts,
    pg_catalog.concat(CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view'
      WHEN 'c' THEN 'type' WHEN 'S' THEN 'sequence' ELSE c.relkind::text END, ' ', c.relname)
      AS object
  FROM pg_class AS c JOIN place AS p ON p.oid = c.relnamespace WHERE c.relkind <> 'i'
), thing (object, facts, owner, acl, is_harmless) AS (
  SELECT 'schema tradeledger', '', p.nspowner,
    COALESCE(p.nspacl, pg_catalog.acldefault('n', p.nspowner)), true
  FROM place AS p
  UNION ALL
  SELECT 'role tradeledger_worker', ROW(r.rolsuper, r.rolcreaterole, r.rolcreatedb,
    r.rolreplication, r.rolbypassrls, (
      SELECT bool_or(pg_has_role(r.oid, g.oid, 'MEMBER')) FROM pg_roles AS g
      WHERE g.oid = p.nspowner OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data')
    ))::text, NULL, NULL, true
  FROM pg_roles AS r, place AS p WHERE r.rolname = 'tradeledger_worker'
  UNION ALL
  SELECT r.object, pg_catalog.concat(r.facts, c.facts), r.relowner,
    CASE WHEN r.relkind <> 'c' THEN COALESCE(r.relacl, pg_catalog.acldefault(
      CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner)) END, r.relkind = 'v'
  FROM relation AS r CROSS JOIN LATERAL (
    SELECT string_agg(ROW(a.attname, a.atttypid::regtype, a.atttypmod, a.attnotnull,
        a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attacl,
        pg_get_expr(d.adbin, d.adrelid))::text, ','
      ORDER BY CASE r.relkind WHEN 'r' THEN 0 ELSE a.attnum END, a.attname) AS facts
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid
      AND d.adnum = a.attnum
    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS c
  UNION ALL
  SELECT r.object, ROW(s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
    s.seqcache, s.seqcycle)::text, NULL, NULL, true
  FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
  UNION ALL
  SELECT pg_catalog.concat('function ', f.proname), ROW(f.prokind, l.lanname, f.prosecdef,
      f.proisstrict, f.proretset, f.provolatile, f.proconfig, f.prorettype::regtype,
      COALESCE(f.proallargtypes, f.proargtypes::oid[])::regtype[], f.proargnames,
      f.proargmodes, pg_get_expr(f.proargdefaults, 0::oid), f.prosrc,
      f.prosqlbody IS NULL)::text,
    f.proowner, COALESCE(f.proacl, pg_catalog.acldefault('f', f.proowner)), true
  FROM pg_proc AS f JOIN place AS p ON p.oid = f.pronamespace
  JOIN pg_language AS l ON l.oid = f.prolang
  UNION ALL
  SELECT pg_catalog.concat('trigger ', t.tgname, ' on ', r.relname),
    pg_catalog.concat(t.tgenabled, pg_get_triggerdef(t.oid)), NULL, NULL, true
  FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT pg_catalog.concat('constraint ', k.conname, ' on ', r.relname),
    pg_catalog.concat(k.convalidated, pg_get_constraintdef(k.oid), (
      SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled) FROM pg_trigger AS t
      WHERE t.tgconstraint = k.oid)), NULL, NULL, true
  FROM relation AS r JOIN pg_constraint AS k ON k.conrelid = r.oid WHERE k.contype <> 'n'
  UNION ALL
  SELECT pg_catalog.concat('index ', x.indexrelid::regclass),
    pg_catalog.concat(x.indisvalid, x.indisready, pg_get_indexdef(x.indexrelid)), NULL, NULL,
    true
  FROM relation AS r JOIN pg_index AS x ON x.indrelid = r.oid
  UNION ALL
  SELECT pg_catalog.concat('rule ', w.rulename, ' on ', r.relname), w.ev_enabled::text, NULL,
    NULL, true
  FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
  WHERE r.relkind <> 'v' OR w.rulename <> '_RETURN'
  UNION ALL
  SELECT pg_catalog.concat('operator ', o.oprname), '', NULL, NULL, true
  FROM pg_operator AS o JOIN place AS p ON p.oid = o.oprnamespace
  UNION ALL
  SELECT pg_catalog.concat('text of ', r.object),
    regexp_replace(pg_get_viewdef(r.oid), '[[:space:]]+|[a-z_]+[.]', '', 'g'), NULL, NULL,
    true
  FROM relation AS r
  WHERE r.relkind = 'v' AND current_setting('server_version_num')::integer < 190000
)
SELECT string_agg(pg_catalog.concat(o.object, chr(9), o.digest), chr(10)
  ORDER BY o.object COLLATE "C")
FROM (
  SELECT u.object, left(encode(sha256(pg_catalog.convert_to(string_agg(u.facts, chr(10)
    ORDER BY u.facts COLLATE "C"), 'UTF8')), 'hex'), 32) AS digest
  FROM thing AS t CROSS JOIN LATERAL (
    SELECT string_agg(
      pg_catalog.concat(' ', w.who, ' ', a.privilege_type, a.is_grantable), ','
      ORDER BY w.who, a.privilege_type COLLATE "C") AS grants
    FROM aclexplode(t.acl) AS a CROSS JOIN LATERAL (
      SELECT CASE a.grantee WHEN 0::oid THEN 'PUBLIC'
        ELSE pg_get_userbyid(a.grantee) END AS who
    ) AS w
    WHERE a.grantee <> t.owner AND (w.who IN ('PUBLIC', 'tradeledger_worker')
      OR NOT t.is_harmless OR a.privilege_type NOT IN ('SELECT', 'USAGE', 'EXECUTE'))
  ) AS g CROSS JOIN LATERAL (
    SELECT replace(t.object, 'tradeledger.', '') AS object,
      pg_catalog.concat(replace(t.facts, 'tradeledger.', ''), pg_get_userbyid(t.owner),
        g.grants) AS facts
  ) AS u
  GROUP BY u.object
) AS o"""


class _SQL:
    """The statements of Statements.swift."""

    SCHEMA_VERSION: Final = "PRAGMA schema_version"
    JOURNAL_MODE: Final = "PRAGMA journal_mode"
    ALL_OBJECTS: Final = """
SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND sql NOT IN (
  'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')"""
    LEDGER_MODE: Final = "SELECT mode FROM ledger"
    TICK: Final = "UPDATE ledger SET ticks = ticks + 1"
    INTEGRITY_CHECK: Final = "PRAGMA integrity_check(5)"
    FOREIGN_KEY_CHECK: Final = "SELECT COUNT(*) FROM pragma_foreign_key_check"
    RESTORES: Final = "SELECT at, boot_id, boot_us FROM restores"
    ADMISSION: Final = """
SELECT s.bot_id, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled,
  (SELECT id FROM trades WHERE key = ?2),
  (SELECT id FROM occupying_trades WHERE bot_id = s.bot_id),
  (SELECT MIN(id) FROM trades WHERE bot_id = s.bot_id AND status = 'in_doubt'),
  l.id, l.effective_at, l.effective_boot_id, l.effective_boot_us,
  lb.id, lb.effective_at, lb.effective_boot_id, lb.effective_boot_us,
  EXISTS (SELECT 1 FROM conflicts WHERE bot_id = s.bot_id), i.epoch, i.pid
FROM current_settings AS s
LEFT JOIN trades AS l ON l.id = (
  SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY effective_at DESC LIMIT 1)
LEFT JOIN trades AS lb ON lb.id <> l.id AND lb.id = (
  SELECT id FROM counted_trades WHERE bot_id = s.bot_id AND effective_boot_id = ?4
  ORDER BY effective_boot_us DESC LIMIT 1)
LEFT JOIN instances AS i ON i.name = ?3
WHERE s.name = ?1"""
    LAST_CONFLICTS: Final = """
SELECT trade_id, at, boot_id, boot_us FROM conflicts WHERE id IN (
  (SELECT id FROM conflicts WHERE bot_id = ?1 ORDER BY at DESC LIMIT 1),
  (SELECT id FROM conflicts WHERE bot_id = ?1 AND boot_id = ?2 ORDER BY boot_us DESC LIMIT 1))"""
    INSERT_TRADE: Final = """
INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token, pid,
  instance, epoch, created_at, lease_until, boot_id, created_boot_us, status, filled_at,
  filled_price, filled_quantity, exchange_at, received_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
  ?20, ?21, ?22)"""
    EXPIRE: Final = "UPDATE trades SET status = 'in_doubt' WHERE id = ?1"
    HAS_KEY_AND_TOKEN: Final = "SELECT 1 FROM trades WHERE key = ?1 AND token IS ?2"
    CURRENT_EPOCH: Final = "SELECT epoch FROM instances WHERE name = ?1"
    SETTLE: Final = """
UPDATE trades SET status = ?2, filled_at = ?3, filled_price = ?4, filled_quantity = ?5,
  exchange_at = ?6, received_at = ?7, filled_boot_id = ?8, filled_boot_us = ?9,
  settled_with = ?10, reason = ?11, late = ?12, superseded = ?13
WHERE id = ?1"""
    IS_SETTLED: Final = """
SELECT 1 FROM trades WHERE id = ?1 AND status = ?2 AND settled_with = ?3 AND received_at = ?4"""
    INSERT_CONFLICT: Final = """
INSERT INTO conflicts (bot_id, trade_id, kind, token, at, boot_id, boot_us, quantity, price,
  exchange_at, received_at)
SELECT bot_id, id, 'fill_after_void', token, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM trades
WHERE id = ?1"""
    HAS_CONFLICT: Final = """
SELECT 1 FROM conflicts WHERE trade_id = ?1 AND quantity = ?2 AND price IS ?3
  AND exchange_at IS ?4"""
    BOTS: Final = """
SELECT name, cooldown_us, lease_us, in_doubt, enabled FROM current_settings
WHERE ?1 IS NULL OR name = ?1 ORDER BY name"""
    TRADE_BY_ID: Final = """
SELECT t.id, b.name, t.key, t.origin, t.side, t.symbol, t.quantity, t.price, t.cooldown_us,
  t.token, t.pid, t.instance, t.epoch, t.created_at, t.lease_until, t.boot_id,
  t.created_boot_us, t.status, t.filled_at, t.filled_price, t.filled_quantity, t.exchange_at,
  t.received_at, t.settled_with, t.reason, t.late, t.superseded
FROM trades AS t JOIN bots AS b ON b.id = t.bot_id WHERE t.id = ?1"""
    TRADE_BY_KEY: Final = """
SELECT t.id, b.name, t.key, t.origin, t.side, t.symbol, t.quantity, t.price, t.cooldown_us,
  t.token, t.pid, t.instance, t.epoch, t.created_at, t.lease_until, t.boot_id,
  t.created_boot_us, t.status, t.filled_at, t.filled_price, t.filled_quantity, t.exchange_at,
  t.received_at, t.settled_with, t.reason, t.late, t.superseded
FROM trades AS t JOIN bots AS b ON b.id = t.bot_id WHERE t.key = ?1"""
# <<< Written by generate.py.

_log = logging.getLogger("tradeledger")
_T = TypeVar("_T")
_P = ParamSpec("_P")

_Value = str | int | None
_Row = Sequence[Any]

# Errors and refusals ------------------------------------------------------------------------------


class LedgerError(Exception):
    """The ledger could not give an answer. It never means "go and trade".

    `code` is a word such as "no_such_bot", `hint` what to do next. `retry` is "safe" (nothing was
    written; the same call with the same key is right), "check_first" (look the key up before
    anything else) or "never" (something has to be changed first).
    """

    def __init__(self, code: str, message: str, hint: str, retry: str = "never") -> None:
        super().__init__(code, message, hint, retry)
        self.code = code
        self.message = message
        self.hint = hint
        self.retry = retry

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"


class Busy(LedgerError):
    """The write lock was not had within the wait limit. Nothing was written."""


class OutcomeUnknown(LedgerError):
    """A COMMIT failed and its outcome could not be made final (INV-4). Send no order."""


class OrderNotSent(Exception):
    """Raised in the body of `Ledger.trade` to say that the order was certainly not sent."""


def _error(code: str, message: str, hint: str, retry: str = "never") -> LedgerError:
    kinds: dict[str, type[LedgerError]] = {"busy": Busy, "outcome_unknown": OutcomeUnknown}
    return kinds.get(code, LedgerError)(code, message, hint, retry)


def _bug(message: str) -> LedgerError:
    return _error("internal", message, "this is a bug of TradeLedger; please report it")


def _escaped(text: str) -> str:
    """Safe for a terminal and a log: control characters and their like become escapes."""
    unsafe = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn")
    return "".join(
        f"\\u{{{ord(letter):x}}}" if unicodedata.category(letter) in unsafe else letter
        for letter in text
    )


def _quoted(text: object) -> str:
    whole = str(text)
    cut = f"… ({len(whole.encode('utf-8', 'replace'))} bytes)" if len(whole) > 64 else ""
    return f"'{_escaped(whole[:64])}{cut}'"


@dataclass(frozen=True, slots=True)
class Denial:
    """Why not, because of which trade, and for how long."""

    reason: str
    """superseded, key_conflict, disabled, in_progress, in_doubt, cooldown, already_settled,
    wrong_token; replayed and lease_over for the two refusals that `Ledger.trade` adds."""
    winner: Trade | None = None
    """The trade that caused it."""
    retry_after_us: int | None = None
    """How long to wait at least, in microseconds; None where waiting does not help."""
    clock_behind_us: int | None = None
    """How far the wall clock is behind the time of the last trade, where it went back."""
    holder_pid: int | None = None
    holder: tuple[str, int] | None = None
    """Who is in the way: its instance name and epoch."""
    restored_at_us: int | None = None
    """When the ledger went back to a backup, where that is what is waited for."""

    @property
    def transient(self) -> bool:
        """Whether waiting alone can lift it."""
        return self.reason in ("in_progress", "cooldown")

    @property
    def retry_after(self) -> float | None:
        """The same as `retry_after_us`, in seconds."""
        return None if self.retry_after_us is None else self.retry_after_us / 1_000_000


class Denied(Exception):
    """An expected "no". Nothing was stored and no key was used up."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial)
        self.denial = denial
        self.reason = denial.reason
        self.winner = denial.winner
        self.transient = denial.transient
        self.retry_after = denial.retry_after

    def __repr__(self) -> str:
        """One line for logs, where Celery shows what a task raised; `denial` has the rest."""
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        because = f", because of trade {self.winner.id}" if self.winner else ""
        wait = f", retry after {self.retry_after:.6f} s" if self.retry_after is not None else ""
        return f"denied: {self.reason}{because}{wait}"


class Replayed(Denied):
    """The key was used before, for the same order: that order belongs to an earlier call."""


class TooLate(Denied):
    """The lease was over, or the instance superseded, right before the exchange call. Nothing was
    sent, and the trade is void. Its key is used up."""


# Values -------------------------------------------------------------------------------------------

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
_LATEST: Final = 253_402_300_799_999_999


def _instant(microseconds: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks, read together, in microseconds. Boot clocks compare within one boot id."""

    wall_us: int
    boot_id: str | None = None
    boot_us: int = 0

    def _since_boot(self, boot_id: str | None, boot_us: int) -> int | None:
        same = self.boot_id is not None and self.boot_id == boot_id
        return self.boot_us - boot_us if same else None


class SystemClock:
    """The clocks of this machine: CLOCK_REALTIME and CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self._boot_id: str | None = None
        with contextlib.suppress(OSError):
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                digits = file.read().replace("-", "").strip()[:16]
            namespace = "".join(filter(str.isdigit, os.readlink("/proc/self/ns/time")))
            self._boot_id = f"{digits}/{namespace}"

    def __call__(self) -> Reading:
        # Boot first: if the process is stopped between the two, the wall clock is the later one,
        # and the smaller of the two intervals counts.
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000
        return Reading(wall, self._boot_id, boot if self._boot_id else 0)


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot with the settings in force."""

    name: str
    cooldown_us: int
    lease_us: int
    in_doubt: str
    """What a trade in doubt does: "cooldown" or "block"."""
    enabled: bool

    @property
    def cooldown(self) -> datetime.timedelta:
        return datetime.timedelta(microseconds=self.cooldown_us)

    @property
    def lease(self) -> datetime.timedelta:
        return datetime.timedelta(microseconds=self.lease_us)


@dataclass(frozen=True, slots=True)
class Trade:
    """One row for one intended order, as it stood when it was read."""

    id: int
    bot: str
    key: str
    side: str
    symbol: str
    quantity: str
    price: str | None
    origin: str
    status: str
    """pending, in_doubt, filled or void: in doubt from the moment its lease is over."""
    created_at_us: int
    cooldown_us: int
    lease_until_us: int | None = None
    filled_at_us: int | None = None
    filled_quantity: str | None = None
    filled_price: str | None = None
    exchange_at_us: int | None = None
    received_at_us: int | None = None
    late: bool = False
    superseded: bool = False
    settled_by_operator: bool = False
    reason: str | None = None
    pid: int | None = None
    instance: tuple[str, int] | None = None

    @property
    def created_at(self) -> datetime.datetime:
        return _instant(self.created_at_us)

    @property
    def filled_at(self) -> datetime.datetime | None:
        return None if self.filled_at_us is None else _instant(self.filled_at_us)

    @property
    def _order(self) -> _Order:
        return _Order(self.bot, self.side, self.symbol, self.quantity, self.price)


class Permit:
    """The right to send one order, once, before `valid_until`, and to settle it."""

    def __init__(self, stored: _Stored, replayed: bool) -> None:
        if stored.token is None or stored.lease is None:
            raise _bug("a permit of a trade that has none")
        self.trade: Final = stored.trade
        self.token: Final = stored.token
        self.replayed: Final = replayed
        """It had been given before, to this caller: the order may have been sent already."""
        self._lease: Final = stored.lease

    @property
    def id(self) -> int:
        return self.trade.id

    @property
    def key(self) -> str:
        """Goes to the exchange as the client order id."""
        return self.trade.key

    @property
    def valid_until_us(self) -> int:
        return self._lease.until

    @property
    def valid_until(self) -> datetime.datetime:
        """Goes to the exchange as the expiry, where it takes one."""
        return _instant(self._lease.until)

    @property
    def valid_until_boot_us(self) -> int | None:
        """The same end on the boot clock, which nobody can set; None where there is none."""
        return self._lease.boot_until if self._lease.boot_id is not None else None


class TradePermit(Permit):
    """The permit inside `with ledger.trade(...)`. What it is told is written at the end."""

    _fill: _Fill | None = None
    _void: str | None = None
    _settled = False

    def filled(
        self, price: Amount = None, quantity: Amount = None, at: Instant | None = None
    ) -> None:
        """The exchange executed the order. None: as ordered, and now."""
        self._fill = _Fill(_optional_amount(quantity), _optional_amount(price), _optional_time(at))

    def not_sent(self, reason: str) -> None:
        """The order was certainly not sent: the trade becomes void, and counts for nothing."""
        self._void = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A trade that stands as it was wanted."""

    trade: Trade
    replayed: bool
    """It stood so before; nothing was written."""


Amount = str | int | decimal.Decimal | None
"""An exact number: text, int or Decimal. Never a float."""
Instant = datetime.datetime | int
"""A datetime with a zone, or microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Order:
    bot: str
    side: str
    symbol: str
    quantity: str
    price: str | None


@dataclass(frozen=True, slots=True)
class _Fill:
    quantity: str | None = None
    price: str | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    order: _Order
    key: str
    token: str | None
    fill: _Fill | None
    """None: reserve."""
    claim: tuple[str, int] | None
    is_own: bool = False
    """Its key, or its token, was made for this very call."""

    @property
    def is_past(self) -> bool:
        return self.fill is not None and self.fill.at is not None


@dataclass(frozen=True, slots=True)
class _Lease:
    """Over when both clocks say so."""

    until: int
    boot_id: str | None
    boot_until: int

    def remaining(self, now: Reading) -> int:
        wall = self.until - now.wall_us
        since = now._since_boot(self.boot_id, self.boot_until)
        return wall if since is None else max(wall, -since)

    def may_send(self, now: Reading) -> bool:
        """By the boot clock alone, where it can be asked: its holder does not use the longer."""
        since = now._since_boot(self.boot_id, self.boot_until)
        return (self.until - now.wall_us if since is None else -since) > 0


@dataclass(frozen=True, slots=True)
class _Stored:
    """A trade as it stands in the file, with what only the ledger itself may see."""

    trade: Trade
    token: str | None
    created: Reading

    @property
    def lease(self) -> _Lease | None:
        until = self.trade.lease_until_us
        if until is None:
            return None
        boot = self.created.boot_us + until - self.created.wall_us
        return _Lease(until, self.created.boot_id, boot)

    def seen(self, now: Reading) -> Trade:
        lease = self.lease
        if self.trade.status == "pending" and (lease is None or lease.remaining(now) <= 0):
            return replace(self.trade, status="in_doubt")
        return self.trade


# Input --------------------------------------------------------------------------------------------


def _invalid(message: str, hint: str) -> LedgerError:
    return _error("invalid_input", message, hint)


def _name(text: str) -> str:
    if not isinstance(text, str) or not re.fullmatch(
        r"(?!-)[A-Za-z0-9._/:@+=^#-]{1,64}", text, re.ASCII
    ):
        hint = "give text of 1 to 64 of A-Z a-z 0-9 . _ / : @ + = ^ # - and no leading -"
        raise _invalid(f"not a name: {_quoted(text)}", hint)
    return text


def _visible(text: str, least: int, what: str) -> str:
    if not isinstance(text, str) or not re.fullmatch(f"[!-~]{{{least},128}}", text):
        hint = f"give text of {least} to 128 visible ASCII characters, no blanks"
        raise _invalid(f"not a {what}: {_quoted(text)}", hint)
    return text


def _key(text: str) -> str:
    return _visible(text, 1, "key")


def _token(text: str) -> str:
    return _visible(text, 16, "token")


def _amount(value: Amount) -> str:
    """Exact, in the one spelling in which the ledger keeps it."""
    text = ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool):
        text = format(value, "d" if isinstance(value, int) else "f")
    if match := re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", text, re.ASCII):
        whole, fraction = match[1].lstrip("0"), (match[2] or "").rstrip("0")
        if len(whole) <= 18 and len(fraction) <= 18 and (whole or fraction):
            return (whole or "0") + ("." + fraction if fraction else "")
    hint = "give a positive decimal such as '0.25', as text, int or Decimal, with at most 18 digits"
    raise _invalid(f"not an amount: {_quoted(value)}", hint + " on either side of the point")


def _optional_amount(value: Amount) -> str | None:
    return None if value is None else _amount(value)


def _time(at: Instant) -> int:
    if isinstance(at, datetime.datetime) and at.tzinfo is not None:
        return (at - _EPOCH) // _MICROSECOND
    if isinstance(at, int) and not isinstance(at, bool) and -(2**63) <= at < 2**63:
        return at
    hint = "give a datetime with a zone, or whole microseconds since 1970"
    raise _invalid(f"not an instant: {_quoted(at)}", hint)


def _optional_time(at: Instant | None) -> int | None:
    return None if at is None else _time(at)


def _reason(text: str) -> str:
    is_text = isinstance(text, str) and _escaped(text) == text
    if not is_text or not 1 <= len(text.encode()) <= 256:
        hint = "give 1 to 256 bytes of plain text on one line"
        raise _invalid(f"not a reason: {_quoted(text)}", hint)
    return text


def _side(side: str) -> str:
    if side not in ("buy", "sell"):
        raise _invalid(f"not a side: {_quoted(side)}", "give buy or sell")
    return side


def _claim(name: str | None, epoch: int | None) -> tuple[str, int] | None:
    """The instance that the caller names, or the one that `tradeledger guard` runs it under."""
    if name is None and epoch is None:
        given_name = os.environ.get("TRADELEDGER_INSTANCE")
        given_epoch = os.environ.get("TRADELEDGER_EPOCH")
        if not given_name and not given_epoch:
            return None
        is_number = re.fullmatch("[0-9]{1,18}", given_epoch or "", re.ASCII)
        name, epoch = given_name, int(given_epoch or "") if is_number else None
    if name is None or epoch is None or isinstance(epoch, bool) or not 0 <= epoch < 2**63:
        raise _invalid(
            f"not an instance with its epoch: {_quoted(name)}, {_quoted(epoch)}",
            "give both, or run under `tradeledger guard`, which sets TRADELEDGER_INSTANCE and "
            "TRADELEDGER_EPOCH",
        )
    return _name(name), epoch


def _random_key(now: Reading) -> str:
    """A UUID of version 7, so that the index of keys grows at its end."""
    value = (max(0, now.wall_us) // 1000 & 0xFFFF_FFFF_FFFF) << 80 | 0x7000 << 64 | 0x8000 << 48
    value |= secrets.randbits(128) & 0x0FFF_3FFF_FFFF_FFFF_FFFF
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# Rules: pure, the same as Sources/TradeLedger/Rules -----------------------------------------------

_NOTABLE_JUMP_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Last:
    """A trade or conflict that counts, and when."""

    id: int
    at: Reading


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that admission depends on."""

    bot_id: int
    bot: Bot
    same_key: _Stored | None
    pending: _Stored | None
    in_doubt: int | None
    lasts: tuple[_Last, ...]
    restores: tuple[Reading, ...]
    epoch: int | None
    holder_pid: int | None


@dataclass(frozen=True, slots=True)
class _Decision:
    verdict: str
    """admit, replay or deny."""
    denial: Denial | None = None
    winner: int | None = None
    """The trade that caused the denial, where only its number is known."""
    with_permit: bool = False
    expired: int | None = None
    """A pending trade whose lease is over: to be written as in doubt, whatever the verdict."""


def _decide(attempt: _Attempt | None, facts: _Facts, now: Reading) -> _Decision:
    """Admission, in the order of the contract. None: `check`, which only asks."""
    if attempt is not None:
        if attempt.claim is not None and facts.epoch != attempt.claim[1]:
            return _Decision("deny", _superseded(attempt.claim, facts))
        if facts.same_key is not None:
            return _decide_replay(attempt, facts.same_key, now)
        if attempt.is_past:
            return _Decision("admit")
    if not facts.bot.enabled:
        return _Decision("deny", Denial("disabled"))
    expired = None
    if facts.pending is not None:
        lease = facts.pending.lease
        remaining = 0 if lease is None else lease.remaining(now)
        if remaining > 0:
            return _Decision("deny", _in_progress(facts.pending.trade, remaining))
        expired = facts.pending.trade.id
    doubtful = expired if facts.in_doubt is None else facts.in_doubt
    if facts.bot.in_doubt == "block" and doubtful is not None:
        return _Decision("deny", Denial("in_doubt"), doubtful, expired=expired)
    counted: list[tuple[Reading, int | None]] = [(last.at, last.id) for last in facts.lasts]
    counted += [(restored, None) for restored in facts.restores]
    longest: _Decision | None = None
    longest_us = 0
    for at, winner in counted:
        wait = _cooldown_wait(at, now, facts.bot.cooldown_us)
        if wait is None or wait[0] <= longest_us:
            continue
        longest_us, behind = wait
        restored_at = at.wall_us if winner is None else None
        denial = Denial(
            "cooldown", retry_after_us=longest_us, clock_behind_us=behind,
            restored_at_us=restored_at,
        )  # fmt: skip
        longest = _Decision("deny", denial, winner, expired=expired)
    return longest or _Decision("admit", expired=expired)


def _decide_replay(attempt: _Attempt, same: _Stored, now: Reading) -> _Decision:
    trade, fill = same.trade, attempt.fill
    is_same = attempt.order == trade._order
    if fill is not None and fill.at is not None and trade.origin == "past":
        is_same = is_same and trade.filled_at_us == fill.at
    if not is_same:
        return _Decision("deny", Denial("key_conflict", winner=same.seen(now)))
    with_permit = (
        fill is None and attempt.token == same.token and same.seen(now).status == "pending"
    )
    return _Decision("replay", with_permit=with_permit)


def _cooldown_wait(last: Reading, now: Reading, cooldown: int) -> tuple[int, int | None] | None:
    """Elapsed time is the smaller of what the two clocks say; `elapsed == cooldown` is enough."""
    wall = now.wall_us - last.wall_us
    boot = now._since_boot(last.boot_id, last.boot_us)
    elapsed = wall if boot is None else min(wall, boot)
    if elapsed >= cooldown:
        return None
    behind = (boot or 0) - wall
    return cooldown - elapsed, behind if behind > _NOTABLE_JUMP_US else None


def _superseded(claim: tuple[str, int], facts: _Facts) -> Denial:
    if facts.epoch is None:
        return Denial("superseded")
    return Denial("superseded", holder_pid=facts.holder_pid, holder=(claim[0], facts.epoch))


def _in_progress(trade: Trade, remaining: int) -> Denial:
    return Denial(
        "in_progress", trade, remaining, holder_pid=trade.pid, holder=trade.instance
    )


def _fill_time(exchange: int | None, created: Reading, receipt: Reading) -> Reading:
    """When a fill happened, on both clocks: see FillTime.swift."""
    wanted = receipt.wall_us if exchange is None else exchange
    wall = min(max(wanted, created.wall_us), max(created.wall_us, receipt.wall_us))
    if receipt.boot_id is None:
        return Reading(wall)
    age = max(0, receipt.wall_us - wall)
    since = receipt._since_boot(created.boot_id, created.boot_us)
    if since is not None:
        # Where the wall clock has jumped ahead since the admission, the jump is taken out.
        jump = max(0, receipt.wall_us - created.wall_us - since)
        age = min(max(age - jump, 0), max(since, 0))
    return Reading(wall, receipt.boot_id, receipt.boot_us - age)


@dataclass(frozen=True, slots=True)
class _Settlement:
    trade: int
    token: str
    fill: _Fill | None
    """None: void."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class _SettledRow:
    status: str
    received_at: int
    late: bool
    superseded: bool
    token: str
    reason: str | None
    filled: Reading | None = None
    quantity: str | None = None
    price: str | None = None
    exchange_at: int | None = None

    def applied(self, trade: Trade) -> Trade:
        return replace(
            trade, status=self.status, filled_at_us=self.filled.wall_us if self.filled else None,
            filled_quantity=self.quantity, filled_price=self.price,
            exchange_at_us=self.exchange_at, received_at_us=self.received_at, late=self.late,
            superseded=self.superseded, settled_by_operator=False, reason=self.reason,
        )  # fmt: skip


def _settled_row(
    settlement: _Settlement, stored: _Stored, epoch: int | None, now: Reading
) -> _SettledRow:
    trade, fill = stored.trade, settlement.fill
    row = _SettledRow(
        status="void", received_at=now.wall_us, late=stored.seen(now).status == "in_doubt",
        superseded=trade.instance is not None and trade.instance[1] != epoch,
        token=settlement.token, reason=settlement.reason,
    )  # fmt: skip
    if fill is None:
        return row
    # No fill is refused for its time: what no ledger can keep is kept as the nearest instant.
    exchange_at = None if fill.at is None else max(0, min(fill.at, _LATEST))
    return replace(
        row, status="filled", filled=_fill_time(exchange_at, stored.created, now),
        quantity=fill.quantity or trade.quantity, price=fill.price or trade.price,
        exchange_at=exchange_at,
    )  # fmt: skip


def _is_same_outcome(row: _SettledRow, trade: Trade, fill: _Fill | None) -> bool:
    if row.status != trade.status or fill is None:
        return row.status == trade.status
    same = trade.filled_quantity == row.quantity and trade.filled_price == row.price
    return same and (fill.at is None or row.exchange_at == trade.exchange_at_us)


# The machine --------------------------------------------------------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)


class _Wait:
    """The moment at which a call must have the lock it waits for, counted from the call itself:
    time spent behind other callers of this process is part of the wait (INV-8)."""

    # In seconds. Not every system call knows a wait that is much longer.
    LONGEST: Final = 86_400.0

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + max(0.0, min(seconds, self.LONGEST))

    @property
    def left(self) -> float:
        """At least zero: with zero a free lock is still taken."""
        return self.left_and(0.0)

    def left_and(self, more: float) -> float:
        """What is left until `more` seconds beyond it."""
        return max(0.0, self._deadline + more - time.monotonic())

    def and_then(self, more: float) -> _Wait:
        """The moment `more` seconds later."""
        return _Wait(self.left_and(more))

    def nap(self, longest: float = 0.004) -> bool:
        """Sleeps a little. False once the time is over."""
        left = self.left
        if left <= 0:
            return False
        # Short and uneven, where SQLite's own wait backs off to 100 ms and lets one starve.
        time.sleep(min(left, random.uniform(longest / 40, longest)))
        return True


class _StableHash:
    """FNV-1a, 64 bits: the same number in every process and language."""

    def __init__(self) -> None:
        self.value = 0xCBF2_9CE4_8422_2325

    def add(self, what: str | int) -> None:
        data = what.encode() if isinstance(what, str) else what.to_bytes(8, "little")
        for byte in data:
            self.value = (self.value ^ byte) * 0x0000_0100_0000_01B3 & 0xFFFF_FFFF_FFFF_FFFF


class _Sembuf(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("change", ctypes.c_short), ("flags", ctypes.c_short)]


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Turnstile:
    """Where the processes of a ledger queue before its write lock: decision 12.

    A semaphore of System V, in a set that the Swift engine uses too. It gives order and speed and
    nothing else: a queue that cannot be had is gone past, and nothing that makes the ledger safe
    asks for it.
    """

    _GATES: Final = 256
    _IPC_CREAT: Final = 0o1000
    _IPC_EXCL: Final = 0o2000
    _IPC_NOWAIT: Final = 0o4000
    _SEM_UNDO: Final = 0o10000
    _GETPID: Final = 11
    _LONGEST_WAIT: Final = 0.25
    _DISTRUST: Final = 1.0

    def __init__(self, main: os.stat_result) -> None:
        is_shared = bool(main.st_mode & stat.S_IWGRP)
        scope = _StableHash()
        scope.add("TradeLedger gates")
        scope.add(main.st_gid | 1 << 40 if is_shared else main.st_uid)
        self._key = ctypes.c_int32(scope.value & 0xFFFF_FFFF | 1).value
        ledger = _StableHash()
        ledger.add(main.st_dev)
        ledger.add(main.st_ino)
        self._gate = ledger.value % (self._GATES // 2) * 2
        self._mode = 0o660 if is_shared else 0o600
        # Only its owner makes a set, so that it belongs to whom it has to.
        owns_it = os.geteuid() == main.st_uid and (not is_shared or os.getegid() == main.st_gid)
        self._may_make = owns_it
        self._distrusted_until = 0.0
        self._entered = -1
        self._pid = os.getpid()
        self._set = self._open()

    def _open(self) -> int:
        """The number of the set, or -1."""
        found: int = _libc.semget(self._key, self._GATES, 0)
        if found < 0 and ctypes.get_errno() == errno.ENOENT and self._may_make:
            flags = self._IPC_CREAT | self._IPC_EXCL | self._mode
            found = _libc.semget(self._key, self._GATES, flags)
            if found < 0:
                found = _libc.semget(self._key, self._GATES, 0)
        return found

    def enter(self, limit: float) -> None:
        """At this process's turn, or past it when `limit` is over. `leave` has to follow."""
        self.leave()
        wait = min(self._LONGEST_WAIT, limit)
        if time.monotonic() < self._distrusted_until:
            wait = 0.0
        for _ in range(2):
            if self._set < 0:
                return
            # Before it is so: a signal may throw an exception between the two.
            self._entered = self._set
            code = self._pass(wait)
            if code == 0:
                return
            self._entered = -1
            if code not in (errno.EINVAL, errno.EIDRM):
                break
            # Somebody removed the set. There may be a new one.
            self._set = self._open()
        if code == errno.EAGAIN and wait == self._LONGEST_WAIT:
            self._distrusted_until = time.monotonic() + self._DISTRUST

    def _pass(self, wait: float) -> int:
        deadline = time.monotonic() + wait
        left = wait
        while True:
            closes = (_Sembuf * 2)(
                _Sembuf(self._gate, 0, 0 if wait > 0 else self._IPC_NOWAIT),
                _Sembuf(self._gate, 1, self._SEM_UNDO),
            )
            limit = _Timespec(int(left), int(left % 1 * 1_000_000_000))
            pointer = ctypes.byref(limit) if wait > 0 else None
            if _libc.semtimedop(self._set, closes, ctypes.c_size_t(2), pointer) == 0:
                return 0
            code = ctypes.get_errno()
            # A signal ends the wait.
            if code != errno.EINTR:
                return code
            left = max(0.0, deadline - time.monotonic())

    def leave(self) -> None:
        try:
            self._leave()
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Where an exception hides whether the gate was entered, it knows who was the last."""
        if self._entered >= 0 and _libc.semctl(self._entered, self._gate, self._GETPID) == self._pid:
            opens = _Sembuf(self._gate, -1, self._SEM_UNDO | self._IPC_NOWAIT)
            _libc.semop(self._entered, ctypes.byref(opens), ctypes.c_size_t(1))
        self._entered = -1


class _SyncBoard:
    """The small file `-synced` beside the ledger, in which processes tell each other what is on the
    disk: decision 12. This client syncs for itself; here it reads and writes only that a sync has
    failed, because the disk tells its error once, and perhaps to somebody else."""

    def __init__(self, path: str, main: os.stat_result, log: int, boot_id: str | None) -> None:
        self._descriptor = -1
        if boot_id is None:
            return
        scope = _StableHash()
        scope.add(boot_id)
        scope.add(main.st_dev)
        scope.add(log)
        self._identity = scope.value
        mode = 0o660 if main.st_mode & stat.S_IWGRP else 0o600
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            # No lock of SQLite's is on this file, so that it may be opened and closed.
            self._descriptor = os.open(path + "-synced", flags, mode)
            info = os.fstat(self._descriptor)
            if not stat.S_ISREG(info.st_mode):
                self.close()
            elif info.st_size == 0:
                os.fchmod(self._descriptor, mode)
                # What root makes belongs to whom the ledger belongs, as with a -wal and a -shm.
                if os.geteuid() == 0:
                    os.fchown(self._descriptor, main.st_uid, main.st_gid)

    @property
    def has_failure(self) -> bool:
        """Whether a sync of this log has failed and the log was not written once more since."""
        if self._descriptor < 0:
            return False
        note = os.pread(self._descriptor, 32, 0)
        if len(note) != 32:
            return False
        identity, at, failed, checksum = struct.unpack("=QqQQ", note)
        is_whole = checksum == self._checksum(identity, at, failed)
        return bool(is_whole and identity == self._identity and failed)

    def publish_failure(self) -> None:
        self._write(0, 1)

    def publish_rewritten(self, moment: int) -> None:
        """Everything that was committed before `moment` is on the disk, after all."""
        self._write(moment, 0)

    def _write(self, at: int, failed: int) -> None:
        if self._descriptor >= 0:
            checksum = self._checksum(self._identity, at, failed)
            note = struct.pack("=QqQQ", self._identity, at, failed, checksum)
            with contextlib.suppress(OSError):
                os.pwrite(self._descriptor, note, 0)

    @staticmethod
    def _checksum(identity: int, at: int, failed: int) -> int:
        sum_of = _StableHash()
        for word in (identity, at & 0xFFFF_FFFF_FFFF_FFFF, failed):
            sum_of.add(word)
        return sum_of.value

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    __del__ = close


# The file -----------------------------------------------------------------------------------------

_GOOD_FILE_SYSTEMS: Final = {
    0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x2FC1_2FC1: "zfs",
    0xF2F5_2010: "f2fs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlayfs",
}  # fmt: skip
_BAD_FILE_SYSTEMS: Final = {
    0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x517B: "SMB", 0x0102_1997: "9p",
    0x6573_5546: "FUSE or virtiofs", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
    0x4750_4653: "GPFS", 0x5346_414F: "AFS", 0x0116_1970: "GFS2", 0x7461_636F: "OCFS2",
}  # fmt: skip
_RESERVE_BYTES: Final = 256 * 1024
_COMPANIONS: Final = ("-wal", "-shm", "-journal")


def _configuration(message: str, hint: str) -> LedgerError:
    return _error("configuration", message, hint)


def _cannot_reach(path: str, error: OSError) -> LedgerError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        hint = "check the path, or make one: tradeledger init --db PATH"
        return _error("no_ledger", f"no ledger at {_quoted(path)}", hint)
    text = f"{_quoted(path)}: {error.strerror}"
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "run as the owner of the ledger, or correct owner and mode"
        return _error("permission", text, hint)
    return _error("io", text, "check the path and the disk")


def _no_path(place: str) -> str | None:
    """What may be shown of an address that is not a path, `mysql://...` for example, and may have a
    password in it. None of a path."""
    if url := re.match("([^/:]+)://", place):
        return f"{url[1] if re.fullmatch('[A-Za-z0-9+.-]+', url[1]) else '...'}://..."
    # libpq's other way to say where a server is.
    return "...password=..." if re.match(r"(?![./]).*password\s*=", place, re.S | re.I) else None


def _judged_path(path: str) -> str:
    """The real path of a file that may be opened: looked at with stat alone, because a descriptor
    that this process opened and closed would drop the process's own locks."""
    if not path or "\0" in path or path.startswith("file:"):
        hint = "give a plain path, not an URI; write ./file:x for a file of that name"
        raise _invalid(f"not a path: {_quoted(path)}", hint)
    if address := _no_path(path):
        hint = "give the path of a file; a ledger on a server is at postgresql://USER@HOST/DATABASE"
        raise _error("unavailable", f"not a path: '{address}'", hint)
    try:
        real = os.path.realpath(path, strict=True)
        info = os.lstat(real)
        directory = os.lstat(os.path.dirname(real))
    except OSError as error:
        raise _cannot_reach(path, error) from None
    if not stat.S_ISREG(info.st_mode):
        hint = "give the path of a ledger; `tradeledger init` makes one"
        raise _error("not_a_ledger", f"{_quoted(path)} is not a plain file", hint)
    if info.st_nlink != 1:
        hint = "a second name means a second log and lost trades; remove the other names"
        raise _configuration(f"{_quoted(path)} has {info.st_nlink} hard links", hint)
    if _is_mount_point(real):
        hint = "every place that it is mounted at has a log of its own; mount its directory instead"
        raise _configuration(f"{_quoted(path)} is mounted by itself, without its log", hint)
    if info.st_mode & stat.S_IWOTH:
        raise _configuration(f"{_quoted(path)} may be written by everybody", "chmod 600 it")
    others = stat.S_IWOTH if info.st_mode & stat.S_IWGRP else stat.S_IWOTH | stat.S_IWGRP
    if directory.st_mode & others:
        raise _configuration(
            f"others may write to {_quoted(os.path.dirname(real))}, the directory of the ledger",
            "they could replace the ledger or its log; use a directory of its own: "
            "mkdir -m 700 DIRECTORY",
        )
    if not os.access(real, os.R_OK | os.W_OK):
        raise _cannot_reach(path, PermissionError(errno.EACCES, "Permission denied"))
    for suffix in _COMPANIONS:
        _check_companion(real + suffix)
    _check_file_system(os.path.dirname(real))
    return real


def _is_mount_point(path: str) -> bool:
    """Whether something is mounted at this very path, as `docker run -v FILE:FILE` does."""
    name = re.sub(rb"[ \t\n\\]", lambda found: b"\\%03o" % ord(found[0]), os.fsencode(path))
    try:
        with open("/proc/self/mountinfo", "rb") as table:
            return any(line.split(b" ")[4] == name for line in table)
    except OSError:
        raise _blind() from None


def _check_companion(path: str) -> None:
    """SQLite would wait at a FIFO for ever, and write through a second name into another file."""
    with contextlib.suppress(OSError):
        info = os.lstat(path)
        if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
            raise _configuration(
                f"{_quoted(path)}, beside the ledger, is not a plain file of one name",
                "no ledger puts that there; find out what does, and remove it",
            )


def _check_file_system(directory: str) -> None:
    # struct statfs begins with f_type, a long.
    buffer = ctypes.create_string_buffer(512)
    failed = _libc.statfs(os.fsencode(directory), buffer) != 0
    kind = ctypes.c_long.from_buffer(buffer).value & 0xFFFF_FFFF
    if failed or kind not in _GOOD_FILE_SYSTEMS:
        name = _BAD_FILE_SYSTEMS.get(kind, f"unknown (0x{kind:x})")
        raise _configuration(
            f"{_quoted(directory)} lies on a file system where ledgers break: {name}",
            "locks and durability do not hold between processes there; use a local disk (ext4, "
            "xfs, btrfs, zfs, f2fs)",
        )


def _blind() -> LedgerError:
    hint = "mount /proc of this PID namespace"
    return _configuration("this process cannot see its own open files", hint)


def _descriptors_of(info: os.stat_result) -> set[int]:
    """Descriptors of this process that are open on that very file. Asking opens nothing of it."""
    found = set()
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        raise _blind() from None
    for name in names:
        with contextlib.suppress(OSError):
            open_file = os.fstat(int(name))
            if (open_file.st_dev, open_file.st_ino) == (info.st_dev, info.st_ino):
                found.add(int(name))
    return found


class _Watch:
    """Looks whether the ledger's file, -wal and -shm are still the ones that were opened: an answer
    is true only of the file that everybody else opens."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.main, self.log, self.index = self._look()

    def _look(self) -> tuple[os.stat_result, os.stat_result, os.stat_result]:
        try:
            return (
                os.stat(self._path), os.stat(self._path + "-wal"), os.stat(self._path + "-shm"),
            )  # fmt: skip
        except OSError:
            raise self._moved() from None

    def expect_unmoved(self) -> None:
        opened = (self.main, self.log, self.index)
        for before, after in zip(opened, self._look(), strict=True):
            if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
                raise self._moved()

    def _moved(self) -> LedgerError:
        return _error(
            "ledger_moved",
            f"{_quoted(self._path)}, its -wal or its -shm was moved, replaced or deleted while it "
            "was open",
            "send no order; stop all workers, put the files back (or restore a backup), start "
            "again, and look the key up before trading",
        )


# SQLite -------------------------------------------------------------------------------------------

# From https://www.sqlite.org/rescode.html
_BUSY: Final = (5, 6, 15)
_IOERR_FSYNC: Final = (1034, 1290)


def _code(error: sqlite3.Error) -> int:
    """The extended result code; 21 (misuse) where the module itself complains."""
    return getattr(error, "sqlite_errorcode", 21)


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) & 0xFF in _BUSY


def _translated(error: sqlite3.Error, path: str) -> LedgerError:
    """What an error of SQLite means. Nothing was written: a COMMIT that failed does not come
    through here (INV-4)."""
    file, text, code = _quoted(path), _escaped(str(error)), _code(error) & 0xFF
    if code in _BUSY:
        hint = "nothing was written; try again with the same key, or raise the wait limit"
        return _error("busy", f"no answer within the wait limit: {file} is locked", hint, "safe")
    if code in (11, 26):
        hint = "give the path of a ledger, or go back to a backup; the file was not touched"
        return _error("not_a_ledger", f"{file} is not a ledger, or is damaged: {text}", hint)
    if code == 13:
        hint = "nothing was written and nothing was lost; make room and try again"
        return _error("io", f"no room left for {file}", hint, "safe")
    if code in (3, 8, 14, 23):
        hint = (
            "check the owner and the mode of the file and its directory, and whether the file "
            "system is mounted read-only"
        )
        return _error("permission", f"{file} cannot be opened for this: {text}", hint)
    if code == 19:
        hint = "nothing was written; this is a bug of TradeLedger or a wrong clock, please report"
        return _error("internal", f"the schema refused a write: {text}", hint)
    if code == 21:
        return _bug(f"{file}: {text}")
    hint = "nothing was written; check the disk and the kernel log, then try again"
    return _error("io", f"{file}: {text} (SQLite {_code(error)})", hint, "safe")


_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100, sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 8, sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 8, sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 40,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}  # fmt: skip
# Those that do not touch the file come first: the next one that does reads the schema.
_SETTINGS: Final = {
    "trusted_schema": 0, "cell_size_check": 1, "mmap_size": 0, "temp_store": 2,
    "recursive_triggers": 1, "foreign_keys": 1, "synchronous": 2, "wal_autocheckpoint": 0,
}  # fmt: skip


class _Database:
    """One hardened connection. Its settings are read back: a pragma that failed in silence is how
    most ledgers lose their guarantees."""

    def __init__(self, path: str) -> None:
        self.path = path
        # Made from a real path, escaped, so that no other meaning of a URI is left; never created.
        uri = "file:" + urllib.parse.quote(os.fsencode(path)) + "?mode=rw&cache=private"
        try:
            self.connection = sqlite3.connect(
                uri, timeout=0, isolation_level=None, check_same_thread=False, uri=True
            )
        except sqlite3.Error as error:
            raise _translated(error, path) from None

    def harden(self, wait: _Wait) -> None:
        connection = self.connection
        if sys.version_info >= (3, 12):
            for name, value in (
                ("NO_CKPT_ON_CLOSE", True), ("DEFENSIVE", True), ("DQS_DML", False),
                ("DQS_DDL", False), ("ENABLE_TRIGGER", True), ("ENABLE_VIEW", True),
            ):  # fmt: skip
                option = getattr(sqlite3, "SQLITE_DBCONFIG_" + name)
                connection.setconfig(option, value)
                self._expect(connection.getconfig(option) == value, name)
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, value)
            self._expect(connection.getlimit(limit) == value, f"limit {limit}")
        for pragma, value in _SETTINGS.items():
            self.rows(f"PRAGMA {pragma} = {value}", (), wait)
            found = self.rows(f"PRAGMA {pragma}", (), wait)
            # mmap_size reads back as no row at all where the build has no memory mapping.
            held = found == [(value,)] or pragma == "mmap_size" and not found
            self._expect(held, f"PRAGMA {pragma}")

    def _expect(self, held: bool, what: str) -> None:
        if not held:
            hint = "this build of SQLite cannot keep a ledger safe; use Debian's"
            raise _configuration(f"{_quoted(self.path)}: {what} did not hold", hint)

    def rows(self, sql: str, values: Sequence[_Value], wait: _Wait) -> list[_Row]:
        """All rows. A statement that finds a lock has done nothing, and is asked again until the
        wait is over. Read to the end, so that no read lock outlives the call."""
        while True:
            try:
                return self.connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if not _is_busy(error) or not wait.nap():
                    raise

    def integer(self, sql: str, wait: _Wait) -> int:
        found = self.rows(sql, (), wait)
        return int(found[0][0]) if found and isinstance(found[0][0], int) else 0

    def rollback_if_open(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")


# The ledger ---------------------------------------------------------------------------------------

_ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()
_shared: dict[tuple[str, float], Ledger] = {}


def _forget_in_child() -> None:
    """In a forked child nothing of the parent's is used, nor closed: closing would touch files that
    the parent works on. What is leaked here goes when the child ends."""
    for ledger in list(_ledgers):
        for handle in ledger._handles():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(handle))
    _shared.clear()
    _Lookup.forget()


os.register_at_fork(after_in_child=_forget_in_child)


class Clock(Protocol):
    """Where the ledger gets its time. Tests on a `simulation` ledger bring their own."""

    def __call__(self) -> Reading: ...


class Ledger:
    """A ledger that this process has opened. See the module for what its methods raise.

    - `path`: of the ledger; None for the environment's TRADELEDGER_DB. `postgresql://...` is a
      ledger on a server, and asks for the package psycopg.
    - `lock_wait`: seconds, the longest wait for the write lock, for each call (INV-8); a day at
      most.
    - `instance`, `epoch`: under which the calls are fenced (INV-7); by default what
      `tradeledger guard` has put into the environment, or none.
    """

    _CHECKPOINT_FRAMES: Final = 600
    _DRAIN_ROUNDS: Final = 25
    _BYTES_CHECKED_AT_OPEN: Final = 1_048_576

    path: str
    mode: str

    def __new__(cls, path: str | os.PathLike[str] | None = None, *_: Any, **__: Any) -> Ledger:
        is_server = cls is Ledger and _is_url(_chosen(path))
        return super().__new__(_ServerLedger if is_server else cls)

    def __init__(
        self, path: str | os.PathLike[str] | None = None, lock_wait: float = 5.0, *,
        instance: str | None = None, epoch: int | None = None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._begin(lock_wait, instance, epoch, clock)
        # A COMMIT or a sync has failed and its outcome is not final yet.
        self._unsettled: str | None = None
        self._durable: int | None = None
        self._next_checkpoint = self._CHECKPOINT_FRAMES
        self._helper: _Database | None = None
        self.path = _judged_path(_chosen(path))
        self._database = _Database(self.path)
        _ledgers.add(self)
        try:
            self._open(_Wait(lock_wait))
        except BaseException as error:
            self._database.connection.close()
            if isinstance(error, sqlite3.Error):
                raise _translated(error, self.path) from None
            if isinstance(error, OSError):
                raise _cannot_reach(self.path, error) from None
            raise

    def _begin(
        self, lock_wait: float, instance: str | None, epoch: int | None, clock: Clock | None
    ) -> None:
        """What a ledger is in every process, wherever it lies."""
        self._pid = os.getpid()
        # Only its own thread can release it, so that whoever did not get it may try to.
        self._lock = threading.RLock()
        self._is_at_work = False
        self._lock_wait = lock_wait
        self._clock: Clock = SystemClock() if clock is None else clock
        self._system_clock = SystemClock()
        self._claim = _claim(instance, epoch)
        self._refusal: LedgerError | None = None
        self._open_trades: dict[int, TradePermit] = {}

    def _handles(self) -> list[Any]:
        """What a forked child must neither use nor close."""
        found = (getattr(self, "_database", None), getattr(self, "_helper", None))
        return [database.connection for database in found if database is not None]

    @classmethod
    def shared(
        cls, path: str | os.PathLike[str] | None = None, lock_wait: float = 5.0
    ) -> Ledger:
        """The ledger of this process at `path`: opened at the first call, anew after a fork."""
        key = (os.fspath(path) if path is not None else "", lock_wait)
        found = _shared.get(key)
        if found is None or found._refusal is not None or found._pid != os.getpid():
            found = _shared[key] = cls(path, lock_wait)
        return found

    # Opening

    def _open(self, wait: _Wait) -> None:
        database = self._database
        found = self._expect_ledger_by_header()
        log_path = self.path + "-wal"
        had_log = os.path.exists(log_path)
        before = _descriptors_of(os.stat(log_path)) if had_log else set()
        database.harden(wait)
        version = database.integer("PRAGMA user_version", wait)
        if version < _LAYOUT:
            raise _configuration(
                f"{_quoted(self.path)} has the older layout {version}",
                "migrate it once: tradeledger init --db PATH",
            )
        if version > _LAYOUT:
            raise _error(
                "newer_schema",
                f"{_quoted(self.path)} has layout {version}; this client knows {_LAYOUT}",
                "use the client that belongs to the newer tradeledger; the file was not touched",
            )
        if database.rows(_SQL.JOURNAL_MODE, (), wait) != [("wal",)]:
            raise _configuration(
                f"{_quoted(self.path)} was taken out of WAL mode by another client",
                "put it back, while nobody uses it: tradeledger init --db PATH",
            )
        self._look_at_all(wait)
        # SQLite ignores a failure to make a new log's directory entry durable; an answer must not.
        if not had_log:
            self._sync_directory()
        self._watch = _Watch(self.path)
        main, log, index = self._watch.main, self._watch.log, self._watch.index
        # Whoever waited for a lock while a restore put another file there has opened the old one.
        if not os.path.samestat(found, main):
            raise self._replaced()
        own = _descriptors_of(log) - before
        indexes = _descriptors_of(index)
        if not own or not indexes:
            raise _blind()
        # SQLite's own descriptors, never opened or closed here.
        self._log_descriptor = min(own)
        self._index_descriptor = min(indexes)
        self._turnstile = _Turnstile(main)
        boot_id = self._system_clock().boot_id
        self._board = _SyncBoard(self.path, main, log.st_ino, boot_id)

    def _expect_ledger_by_header(self) -> os.stat_result:
        """Before SQLite looks at the log: what is refused here is not touched. The header is read
        through SQLite's own descriptor. Returns which file it is."""
        main = os.stat(self.path)
        header = b""
        descriptors = _descriptors_of(main)
        if not descriptors:
            raise self._replaced()
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                header = os.pread(descriptor, 100, 0)
        is_database = len(header) == 100 and header.startswith(b"SQLite format 3\0")
        if not is_database or struct.unpack_from(">I", header, 68)[0] != _APPLICATION_ID:
            raise _error(
                "not_a_ledger", f"{_quoted(self.path)} is not a ledger",
                "give the path of a ledger; `tradeledger init` makes one. The file was not touched",
            )  # fmt: skip
        return main

    def _replaced(self) -> LedgerError:
        text = f"{_quoted(self.path)} was replaced while it was opened"
        return _error("ledger_moved", text, "nothing was written; open it again", "safe")

    def _look_at_all(self, wait: _Wait) -> None:
        """The schema letter for letter, the mode, and a small file's every page."""
        database = self._database
        database.rows("BEGIN DEFERRED", (), wait)
        try:
            self._verify(wait)
            self._schema_version = database.integer(_SQL.SCHEMA_VERSION, wait)
            pages = database.integer("PRAGMA page_count", wait)
            if pages * database.integer("PRAGMA page_size", wait) <= self._BYTES_CHECKED_AT_OPEN:
                found = "; ".join(row[0] for row in database.rows(_SQL.INTEGRITY_CHECK, (), wait))
                if found != "ok" or database.integer(_SQL.FOREIGN_KEY_CHECK, wait) != 0:
                    raise _error(
                        "not_a_ledger", f"{_quoted(self.path)} is damaged: {_escaped(found)}",
                        "stop all workers, go back to a backup, and look up at the exchange what "
                        "it lacks",
                    )  # fmt: skip
            mode = database.rows(_SQL.LEDGER_MODE, (), wait)
            if len(mode) != 1:
                text = f"{_quoted(self.path)} has the schema of a ledger but no mode"
                raise _error("not_a_ledger", text, "make ledgers with `tradeledger init`")
            self.mode = str(mode[0][0])
            self._restores = self._read_restores(wait)
        finally:
            database.rollback_if_open()

    def _read_restores(self, wait: _Wait) -> tuple[Reading, ...]:
        rows = self._database.rows(_SQL.RESTORES, (), wait)
        return tuple(_stored_reading(row[0], row[1], row[2]) for row in rows)

    def _verify(self, wait: _Wait) -> None:
        missing = dict(_SCHEMA)
        for name, sql in self._database.rows(_SQL.ALL_OBJECTS, (), wait):
            expected = missing.pop(name, None)
            if expected is None:
                raise self._altered(f"{_quoted(name)} does not belong to it")
            if hashlib.sha256(sql.encode()).hexdigest()[:32] != expected:
                raise self._altered(f"{_quoted(name)} was changed")
        if missing:
            raise self._altered(f"{_quoted(min(missing))} is missing")

    def _altered(self, what: str) -> LedgerError:
        return _error(
            "schema_altered", f"the schema of {_quoted(self.path)} was altered: {what}",
            "somebody changed the rules of this ledger; compare with `tradeledger schema`, or go "
            "back to a backup. Nothing was written",
        )  # fmt: skip

    def _sync_directory(self) -> None:
        descriptor = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            text = f"the directory of {_quoted(self.path)} cannot be made durable: {error.strerror}"
            hint = "check the disk and the kernel log"
            raise _error("io", text, hint, "check_first") from None
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Closes the file. Later calls are refused. Nothing in a fork."""
        if self._pid != os.getpid() or self._refusal is not None:
            return
        with self._lock:
            self._refusal = _configuration("the ledger was closed", "open it again")
            if self._is_at_work:
                return  # By a handler within a call of this thread, which goes on to its end.
            for database in (self._helper, self._database):
                if database is not None:
                    database.connection.close()
            self._board.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Transactions

    @contextlib.contextmanager
    def _own(self, wait: _Wait) -> Iterator[None]:
        """One call at a time, in the process that opened the ledger; errors of SQLite end here.

        A signal's handler may throw an exception into any line, for example Celery's soft time
        limit: the lock is had, and given back, within one `try`.
        """
        if self._pid != os.getpid():
            raise _configuration(
                f"this ledger belongs to process {self._pid}, and this is its fork {os.getpid()}",
                "open the ledger after the fork, in the process that uses it",
            )
        is_first = False
        try:
            # At work already: a handler called from within a call of the same thread.
            if not self._lock.acquire(timeout=wait.left) or self._is_at_work:
                raise _error(
                    "busy",
                    "no answer within the wait limit: other callers of this process came first",
                    "nothing was written; try again with the same key, or raise the wait limit",
                    "safe",
                )
            self._is_at_work = is_first = True
            if self._refusal is not None:
                raise self._refusal
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from None
        finally:
            if is_first:
                self._is_at_work = False
            try:
                self._lock.release()
            except RuntimeError:
                pass  # It was not had.

    def _verify_if_moved(self, wait: _Wait) -> None:
        version = self._database.integer(_SQL.SCHEMA_VERSION, wait)
        if version != self._schema_version:
            self._verify(wait)
            self._schema_version = version

    def _read(self, wait: _Wait, body: Callable[[_Wait], _T]) -> _T:
        """Runs `body` in one snapshot, which changes nothing."""
        self._database.rollback_if_open()
        self._database.rows("BEGIN DEFERRED", (), wait)
        try:
            self._verify_if_moved(wait)
            return body(wait)
        finally:
            self._database.rollback_if_open()

    def _transact(
        self, wait: _Wait, body: Callable[[_Wait, Reading], tuple[bool, _T]]
    ) -> tuple[_T, bool, sqlite3.Error | None]:
        """One writing transaction, at this process's turn, with clocks that are read under the
        lock. Returns the answer, whether it was to be committed, and why COMMIT failed."""
        database = self._database
        # Left behind by an exception that a signal threw into the end of a transaction.
        database.rollback_if_open()
        try:
            self._turnstile.enter(wait.left / 2)
            database.rows("BEGIN IMMEDIATE", (), wait)
            try:
                self._watch.expect_unmoved()
                self._verify_if_moved(wait)
                wants_commit, value = body(wait, self._clock())
                if not wants_commit:
                    return value, False, None
                try:
                    database.connection.execute("COMMIT")
                except sqlite3.Error as error:
                    return value, True, error
                return value, True, None
            finally:
                database.rollback_if_open()
        finally:
            self._turnstile.leave()

    def _write(
        self, wait: _Wait, is_there: Callable[[_T], bool], is_for_good: Callable[[_T], bool],
        body: Callable[[_Wait, Reading], tuple[bool, _T]],
    ) -> _T:  # fmt: skip
        """Runs `body` under the write lock and answers when what it wrote is on the disk.

        `is_there` looks whether what `body` wrote is in the file: asked, in a later transaction,
        only where COMMIT failed (INV-4). `is_for_good`: the answer tells of a row of somebody
        else's that may be committed and not yet on the disk.
        """
        if self._unsettled is not None:
            self._make_final(self._unsettled, wait, None)
        value, was_written, failure = self._transact(wait, body)
        if failure is not None:
            return self._settled_commit(value, failure, wait, is_there)
        if was_written:
            self._watch.expect_unmoved()
            if self._board.has_failure:
                self._make_final("another process could not sync the log", wait, None)
            self._checkpoint_if_due()
        elif is_for_good(value):
            self._expect_durable(wait)
        return value

    def _settled_commit(
        self, value: _T, failure: sqlite3.Error, wait: _Wait, is_there: Callable[[_T], bool]
    ) -> _T:
        """After a COMMIT that failed: the answer that stands now."""
        if _code(failure) in _IOERR_FSYNC:
            self._board.publish_failure()
        cause = _escaped(str(failure))
        if self._make_final(cause, wait, lambda: is_there(value)):
            return value
        hint = "that is final; check the disk, then try again with the same key"
        raise _error("io", f"nothing was written: COMMIT failed ({cause})", hint, "safe")

    def _make_final(self, cause: str, wait: _Wait, look: Callable[[], bool] | None) -> bool:
        """INV-4: a COMMIT that failed may still come true, and one whose sync failed may still be
        lost. One more transaction on this connection makes the outcome final: it writes the log
        once more (pages that could not be written count as clean, and no second sync would touch
        them), then changes a page, which overwrites what a failed COMMIT left behind."""
        self._unsettled = cause
        database = self._database
        try:
            self._turnstile.enter(wait.left / 2)
            database.rollback_if_open()
            database.rows("BEGIN IMMEDIATE", (), wait)
            seen = look() if look is not None else True
            self._rewrite_log()
            database.rows(_SQL.TICK, (), wait)
            moment = self._system_clock().boot_us
            database.connection.execute("COMMIT")
            self._watch.expect_unmoved()
        except (sqlite3.Error, OSError, LedgerError):
            self._board.publish_failure()
            raise _error(
                "outcome_unknown",
                f"COMMIT failed ({cause}) and its outcome could not be made final",
                "send no order and do not reuse the key; check the disk, then look the key up",
                "check_first",
            ) from None
        finally:
            with contextlib.suppress(sqlite3.Error):
                database.rollback_if_open()
            self._turnstile.leave()
        self._board.publish_rewritten(moment)
        self._unsettled = None
        return seen

    def _rewrite_log(self) -> None:
        """Writes every byte of the log once more, through SQLite's own descriptor. Under the write
        lock, before anything was written: the log stands still."""
        size = os.fstat(self._log_descriptor).st_size
        offset = 0
        while offset < size:
            chunk = os.pread(self._log_descriptor, min(65_536, size - offset), offset)
            if not chunk or os.pwrite(self._log_descriptor, chunk, offset) != len(chunk):
                raise OSError(errno.EIO, "the log could not be rewritten")
            offset += len(chunk)

    def _sync_log(self) -> None:
        try:
            os.fdatasync(self._log_descriptor)
        except OSError:
            self._board.publish_failure()
            raise

    def _expect_durable(self, wait: _Wait) -> None:
        """Before an answer for good that names a row of somebody else's: the Swift engine commits
        first and syncs afterwards. (A denial that time lifts promises nothing.)"""
        version = self._database.integer("PRAGMA data_version", wait)
        if self._unsettled is None and version == self._durable:
            return
        cause = self._unsettled
        if cause is None and self._board.has_failure:
            cause = "another process could not sync the log"
        if cause is None:
            try:
                self._sync_log()
            except OSError as error:
                cause = f"the log could not be synced: {error.strerror}"
        if cause is not None:
            self._make_final(cause, wait, None)
        self._durable = version

    # Checkpoints

    @property
    def _frames(self) -> int:
        """How many frames the log has: mxFrame in the header of the -shm
        (https://www.sqlite.org/walformat.html), read through SQLite's own descriptor."""
        field = os.pread(self._index_descriptor, 4, 16)
        return int(struct.unpack("=I", field)[0]) if len(field) == 4 else 0

    def _checkpoint_if_due(self) -> None:
        """Copies the log into the main file at a few hundred frames, while this process holds the
        write lock, so that no other one can reset the log meanwhile. What fails here is no failure
        of an operation: the log grows on, and the next try comes as many frames later."""
        frames = self._frames
        if frames < self._next_checkpoint - self._CHECKPOINT_FRAMES:
            self._next_checkpoint = self._CHECKPOINT_FRAMES  # Somebody has begun the log anew.
        if frames < self._next_checkpoint or self._unsettled is not None:
            return
        self._next_checkpoint = frames + self._CHECKPOINT_FRAMES
        try:
            self._turnstile.enter(self._lock_wait / 2)
            # What is synced here need not be synced under the lock.
            self._sync_log()
            for _ in range(self._DRAIN_ROUNDS):
                if self._copy_log(_Wait(min(0.05, self._lock_wait))):
                    break
                # Readers of an older state hold the copying up.
                time.sleep(0.001)
        except OSError as error:
            self._unsettled = f"the log could not be synced: {error.strerror}"
        except sqlite3.Error as error:
            if not _is_busy(error):
                self._board.publish_failure()
                self._unsettled = _escaped(str(error))
        except LedgerError:
            pass  # Moved, or no second connection: the next operation says so.
        finally:
            self._turnstile.leave()
        self._schema_version = -1  # The next operation compares the schema in full.

    def _copy_log(self, wait: _Wait) -> bool:
        """Whether nothing is left to be done now."""
        database = self._database
        if self._helper is None:
            helper = _Database(self.path)
            helper.harden(_Wait(self._lock_wait))
            self._helper = helper
        database.rows("BEGIN IMMEDIATE", (), wait)
        try:
            self._watch.expect_unmoved()
            found = self._helper.rows("PRAGMA wal_checkpoint(PASSIVE)", (), _Wait(0))
            busy, frames, copied = found[0]
            return bool(busy == 0 and (copied == frames or frames <= 2 * self._CHECKPOINT_FRAMES))
        finally:
            database.rollback_if_open()

    # Reading rows

    def _stored(self, sql: str, value: _Value, wait: _Wait) -> _Stored | None:
        found = self._database.rows(sql, (value,), wait)
        return _stored_trade(found[0]) if found else None

    def _facts(
        self, bot: str, attempt: _Attempt | None, boot_id: str | None, wait: _Wait
    ) -> _Facts:
        claim = attempt.claim if attempt is not None else None
        values = (
            bot, attempt.key if attempt else None, claim[0] if claim else None, boot_id,
        )  # fmt: skip
        found = self._database.rows(_SQL.ADMISSION, values, wait)
        if not found:
            raise self._no_such_bot(bot)
        row = found[0]
        same = None if row[5] is None else self._stored(_SQL.TRADE_BY_ID, row[5], wait)
        pending = None if row[6] is None else self._stored(_SQL.TRADE_BY_ID, row[6], wait)
        lasts = tuple(
            _Last(row[at], _stored_reading(row[at + 1], row[at + 2], row[at + 3]))
            for at in (8, 12)
            if row[at] is not None
        )
        if row[16]:
            lasts += tuple(
                _Last(conflict[0], _stored_reading(conflict[1], conflict[2], conflict[3]))
                for conflict in self._database.rows(_SQL.LAST_CONFLICTS, (row[0], boot_id), wait)
            )
        settings = Bot(bot, row[1], row[2], row[3], row[4] == 1)
        return _Facts(
            row[0], settings, same, pending, row[7], lasts, self._restores, row[17], row[18]
        )

    def _no_such_bot(self, bot: str) -> LedgerError:
        hint = "list them with `tradeledger bot list`, or add it: tradeledger bot add NAME"
        text = f"no bot {_quoted(bot)} in {_quoted(self.path)}"
        return _error("no_such_bot", text, hint + " --cooldown 15m")

    def _denial(self, decision: _Decision, now: Reading, wait: _Wait) -> Denial | None:
        denial = decision.denial
        if denial is not None and denial.winner is None and decision.winner is not None:
            winner = self._stored(_SQL.TRADE_BY_ID, decision.winner, wait)
            return replace(denial, winner=winner.seen(now) if winner else None)
        return denial

    # Attempts

    def _attempt(self, attempt: _Attempt, lock_wait: float | None) -> _Outcome:
        wait = _Wait(self._lock_wait if lock_wait is None else lock_wait)
        with self._own(wait):
            if self._unsettled is not None:
                self._make_final(self._unsettled, wait, None)
            # A "no" that the last committed state already justifies needs no lock. A "yes" does.
            outcome = self._read(wait, lambda wait: self._look(attempt, wait))
            if outcome is None:
                self._expect_room()
                outcome = self._write(
                    wait, self._is_there, lambda outcome: outcome.is_for_good,
                    lambda wait, now: self._admit(attempt, now, wait),
                )  # fmt: skip
            elif outcome.is_for_good:
                self._expect_durable(wait)
                if outcome.with_permit:
                    self._watch.expect_unmoved()
        return self._told(outcome, attempt)

    def _look(self, attempt: _Attempt, wait: _Wait) -> _Outcome | None:
        facts = self._facts(attempt.order.bot, attempt, self._clock().boot_id, wait)
        now = self._clock()
        decision = _decide(attempt, facts, now)
        if decision.verdict == "admit" or decision.expired is not None:
            return None
        return self._outcome(decision, facts, now, wait)

    def _outcome(
        self, decision: _Decision, facts: _Facts, now: Reading, wait: _Wait
    ) -> _Outcome:
        """The answer where it is not an admission."""
        if decision.verdict == "replay" and facts.same_key is not None:
            stored = replace(facts.same_key, trade=facts.same_key.seen(now))
            return _Outcome("replayed", stored, with_permit=decision.with_permit)
        return _Outcome("denied", denial=self._denial(decision, now, wait))

    def _admit(self, attempt: _Attempt, now: Reading, wait: _Wait) -> tuple[bool, _Outcome]:
        """Decides under the lock, and writes."""
        try:
            return self._decide_and_write(attempt, now, wait)
        except sqlite3.IntegrityError:
            # The schema may know of a restore that a foreign client entered while the file was open.
            known = self._restores
            if not self._database.connection.in_transaction:
                raise
            self._restores = self._read_restores(wait)
            if self._restores == known:
                raise
            return self._decide_and_write(attempt, now, wait)

    def _decide_and_write(
        self, attempt: _Attempt, now: Reading, wait: _Wait
    ) -> tuple[bool, _Outcome]:
        facts = self._facts(attempt.order.bot, attempt, now.boot_id, wait)
        decision = _decide(attempt, facts, now)
        if decision.expired is not None:
            self._database.rows(_SQL.EXPIRE, (decision.expired,), wait)
        if decision.verdict != "admit":
            return decision.expired is not None, self._outcome(decision, facts, now, wait)
        return True, _Outcome("admitted", self._insert(attempt, facts, now, wait))

    def _insert(self, attempt: _Attempt, facts: _Facts, now: Reading, wait: _Wait) -> _Stored:
        order, fill = attempt.order, attempt.fill
        created = now
        if fill is not None and fill.at is not None:
            if not 0 <= fill.at <= now.wall_us:
                raise _invalid(
                    f"{fill.at} microseconds since 1970 is not in the past",
                    "record what has happened, with the time at which it did",
                )
            created = replace(now, wall_us=fill.at, boot_us=now.boot_us - now.wall_us + fill.at)
        origin = "reserve" if fill is None else "record" if fill.at is None else "past"
        wall = created.wall_us
        trade = Trade(
            0, order.bot, attempt.key, order.side, order.symbol, order.quantity, order.price,
            origin, "pending" if fill is None else "filled", wall, facts.bot.cooldown_us,
            lease_until_us=wall + facts.bot.lease_us if fill is None else None,
            filled_at_us=wall if fill else None,
            filled_quantity=(fill.quantity or order.quantity) if fill else None,
            filled_price=(fill.price or order.price) if fill else None,
            exchange_at_us=fill.at if fill else None,
            received_at_us=now.wall_us if fill else None, pid=self._pid, instance=attempt.claim,
        )  # fmt: skip
        self._database.rows(
            _SQL.INSERT_TRADE,
            (
                facts.bot_id, trade.key, trade.origin, trade.side, trade.symbol, trade.quantity,
                trade.price, trade.cooldown_us, attempt.token, trade.pid,
                attempt.claim[0] if attempt.claim else None,
                attempt.claim[1] if attempt.claim else None, wall, trade.lease_until_us,
                created.boot_id, None if created.boot_id is None else created.boot_us,
                trade.status, trade.filled_at_us, trade.filled_price, trade.filled_quantity,
                trade.exchange_at_us, trade.received_at_us,
            ),
            wait,
        )  # fmt: skip
        stored = self._stored(_SQL.TRADE_BY_KEY, trade.key, wait)
        if stored is None:
            raise _bug("a row that was written is not there")
        return stored

    def _is_there(self, outcome: _Outcome) -> bool:
        # What was committed with a refusal is the step to in doubt, which the next one repeats.
        if outcome.kind != "admitted" or outcome.stored is None:
            return True
        values = (outcome.stored.trade.key, outcome.stored.token)
        return bool(self._database.rows(_SQL.HAS_KEY_AND_TOKEN, values, _Wait(0)))

    def _expect_room(self) -> None:
        """Room must be left for a reservation, so that it can be settled too."""
        info = os.statvfs(os.path.dirname(self.path))
        if info.f_bavail * info.f_frsize < _RESERVE_BYTES:
            text = f"less than {_RESERVE_BYTES // 1024} KiB are free beside {_quoted(self.path)}"
            hint = "a trade that is begun now might not be settled; make room and try again"
            raise _error("io", text, hint, "safe")

    @staticmethod
    def _told(outcome: _Outcome, attempt: _Attempt) -> _Outcome:
        if outcome.denial is not None:
            denial = outcome.denial
            text = "cooldown remaining" if denial.reason == "cooldown" else "trade denied"
            _log.info(
                "%s bot=%s reason=%s retry_after_us=%s", text, attempt.order.bot, denial.reason,
                denial.retry_after_us,
            )  # fmt: skip
            raise Denied(denial)
        if outcome.stored is None:
            raise _bug("an answer without its trade")
        if outcome.kind == "admitted":
            trade = outcome.stored.trade
            _log.info("trade lock acquired bot=%s trade=%s key=%s", trade.bot, trade.id, trade.key)
        return outcome

    # Settling

    def _settle(self, settlement: _Settlement, lock_wait: float | None) -> Answer:
        wait = _Wait(self._lock_wait if lock_wait is None else lock_wait)
        with self._own(wait):
            settled = self._write(
                wait, self._is_settled, lambda settled: True,
                lambda wait, now: self._decide_settlement(settlement, now, wait),
            )  # fmt: skip
        return self._told_settled(settled.trade, settled.denial, settled.row is not None)

    def _told_settled(self, trade: Trade, denial: Denial | None, was_written: bool) -> Answer:
        if (waiting := self._open_trades.get(trade.id)) is not None:
            if denial is None or denial.reason == "already_settled":
                waiting._settled = True
        if denial is not None:
            raise Denied(denial)
        if was_written:
            _log.info("trade settled bot=%s trade=%s status=%s", trade.bot, trade.id, trade.status)
        return Answer(trade, replayed=not was_written)

    def _decide_settlement(
        self, settlement: _Settlement, now: Reading, wait: _Wait
    ) -> tuple[bool, _Settled]:
        stored = self._stored(_SQL.TRADE_BY_ID, settlement.trade, wait)
        if stored is None:
            text = f"no trade {settlement.trade} in {_quoted(self.path)}"
            raise _error("no_such_trade", text, "list them with `tradeledger trades --all`")
        trade = stored.trade
        if stored.token is None or settlement.token != stored.token:
            return False, _Settled(trade, Denial("wrong_token", winner=stored.seen(now)))
        epoch = None
        if trade.instance is not None:
            found = self._database.rows(_SQL.CURRENT_EPOCH, (trade.instance[0],), wait)
            epoch = found[0][0] if found else None
        row = _settled_row(settlement, stored, epoch, now)
        if trade.status not in ("filled", "void"):
            self._database.rows(_SQL.SETTLE, _settle_values(trade.id, row), wait)
            return True, _Settled(row.applied(trade), row=row)
        if _is_same_outcome(row, trade, settlement.fill):
            return False, _Settled(trade)
        denial = Denial("already_settled", winner=trade)
        if row.status == "filled" and trade.status == "void":
            # Money has moved: it is kept, and counts at its time (INV-6).
            conflict = (trade.id, row.quantity, row.price, row.exchange_at)
            if not self._database.rows(_SQL.HAS_CONFLICT, conflict, wait):
                self._keep_conflict(trade.id, row, wait)
                return True, _Settled(trade, denial, conflict=conflict)
        return False, _Settled(trade, denial)

    def _keep_conflict(self, trade: int, row: _SettledRow, wait: _Wait) -> None:
        filled = row.filled
        if filled is None:
            raise _bug("a conflict without a fill")
        boot = (filled.boot_id, None if filled.boot_id is None else filled.boot_us)
        values = (
            trade, filled.wall_us, *boot, row.quantity, row.price, row.exchange_at, row.received_at,
        )  # fmt: skip
        self._database.rows(_SQL.INSERT_CONFLICT, values, wait)

    def _is_settled(self, settled: _Settled) -> bool:
        if settled.conflict is not None:
            return bool(self._database.rows(_SQL.HAS_CONFLICT, settled.conflict, _Wait(0)))
        if settled.row is None:
            return True
        row = settled.row
        values = (settled.trade.id, row.status, row.token, row.received_at)
        return bool(self._database.rows(_SQL.IS_SETTLED, values, _Wait(0)))

    # What callers call

    def reserve(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount = None, *,
        key: str | None = None, token: str | None = None, lock_wait: float | None = None,
    ) -> Permit:  # fmt: skip
        """Phase 1: asks whether the order may be sent now, and puts it on record if so.

        - `key`: the client order id; None to have one made. Repeat the same key after a lost
          answer, and give each order its own.
        - `token`: what the permit is settled with. A caller that repeats key and token gets its
          permit back while the lease runs (`Permit.replayed`).

        Raises `Denied`; `Replayed` where the order of this key belongs to an earlier call.
        """
        attempt = self._new_attempt(bot, side, symbol, quantity, price, key, None)
        given = _token(token) if token is not None else secrets.token_hex(16)
        is_own = attempt.is_own or token is None
        outcome = self._attempt(replace(attempt, token=given, is_own=is_own), lock_wait)
        stored = outcome.known
        if outcome.kind == "replayed" and not outcome.with_permit:
            raise Replayed(Denial("replayed", winner=stored.trade))
        return Permit(stored, replayed=outcome.kind == "replayed")

    def record(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount = None, *,
        key: str | None = None, filled_price: Amount = None, filled_quantity: Amount = None,
        at: Instant | None = None, lock_wait: float | None = None,
    ) -> Answer:  # fmt: skip
        """Both phases in one, for an order that is already done or needs no exchange.

        Without `at` the trade is of now and admitted like any other. With it, it is a fact of the
        past: stored whatever its neighbours, and counted for the cooldown from now on.
        """
        fill = _Fill(
            _optional_amount(filled_quantity), _optional_amount(filled_price), _optional_time(at)
        )
        attempt = self._new_attempt(bot, side, symbol, quantity, price, key, fill)
        outcome = self._attempt(attempt, lock_wait)
        return Answer(outcome.known.trade, replayed=outcome.kind == "replayed")

    def _new_attempt(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount,
        key: str | None, fill: _Fill | None,
    ) -> _Attempt:  # fmt: skip
        order = _Order(
            _name(bot), _side(side), _name(symbol), _amount(quantity), _optional_amount(price)
        )
        chosen = _key(key) if key is not None else _random_key(self._clock())
        return _Attempt(order, chosen, None, fill, self._claim, is_own=key is None)

    def fill(
        self, trade: Permit | int, *, token: str | None = None, price: Amount = None,
        quantity: Amount = None, at: Instant | None = None, lock_wait: float | None = None,
    ) -> Answer:  # fmt: skip
        """Phase 2: the order was executed. `trade` is its permit, or its number with its token.

        No fill is refused for its time. After the lease it is taken and flagged late; after a void
        it raises `Denied` with already_settled, is kept all the same, and counts (INV-6).
        """
        fill = _Fill(_optional_amount(quantity), _optional_amount(price), _optional_time(at))
        number, given = self._settling(trade, token)
        return self._settle(_Settlement(number, given, fill, None), lock_wait)

    def void(
        self, trade: Permit | int, reason: str, *, token: str | None = None,
        lock_wait: float | None = None,
    ) -> Answer:  # fmt: skip
        """Phase 2: the order was proven not sent. Say so only on proof: a void trade counts for
        nothing."""
        number, given = self._settling(trade, token)
        return self._settle(_Settlement(number, given, None, _reason(reason)), lock_wait)

    @staticmethod
    def _settling(trade: Permit | int, token: str | None) -> tuple[int, str]:
        if isinstance(trade, Permit):
            return trade.id, trade.token if token is None else _token(token)
        if isinstance(trade, bool) or not isinstance(trade, int) or not 0 < trade < 2**63:
            raise _invalid(f"not a trade: {_quoted(trade)}", "give a permit, or the trade's number")
        if token is None:
            raise _invalid("a trade without its token", "give the permit, or its token")
        return trade, _token(token)

    @contextlib.contextmanager
    def trade(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount = None, *,
        key: str | None = None, token: str | None = None, lock_wait: float | None = None,
    ) -> Iterator[TradePermit]:  # fmt: skip
        """Reserves, runs the body with the permit while no lock is held, and settles at its end.

        The body sends the order, once, with `permit.key` as its client order id, and says what came
        of it: `permit.filled(price=...)`, or `permit.not_sent(reason)`. An end without a word fills
        the trade as ordered. `OrderNotSent` makes it void and goes on to the caller. Any other
        exception may have come after the order was sent: what the body had said by then is written;
        had it said nothing, the trade stays on record, in doubt, until somebody settles it.

        The body does not run on a replay (`Replayed`), nor where the lease is over before it begins
        (`TooLate`). An error of the second phase has retry "check_first": the order was sent.
        """
        reserved = self.reserve(
            bot, side, symbol, quantity, price, key=key, token=token, lock_wait=lock_wait
        )
        if reserved.replayed:
            raise Replayed(Denial("replayed", winner=reserved.trade))
        permit = TradePermit(_Stored(reserved.trade, reserved.token, _created(reserved)), False)
        with _explained(permit, _BEFORE_SENDING):
            is_live = self.is_live(permit)
        if not is_live:
            reason = "the lease was over before the exchange call"
            answer = self._void_at_end(permit, reason)
            raise TooLate(Denial("lease_over", winner=answer.trade))
        self._open_trades[permit.id] = permit
        try:
            yield permit
        except OrderNotSent as error:
            if permit._fill is not None:
                self._fill_at_end(permit)
            elif not permit._settled:
                self._void_at_end(permit, str(error))
            raise
        except BaseException as error:
            if permit._void is None and permit._fill is None and not permit._settled:
                _log.warning(
                    "trade in doubt bot=%s trade=%s key=%s", permit.trade.bot, permit.id, permit.key
                )
                error.add_note(
                    f"trade {permit.id} of {permit.trade.bot} stays in doubt: look key "
                    f"{permit.key} up at the exchange, then fill, void or resolve it"
                )
            else:
                self._end(permit)
            raise
        else:
            self._end(permit)
        finally:
            self._open_trades.pop(permit.id, None)

    def _end(self, permit: TradePermit) -> None:
        if permit._fill is None and permit._void is not None:
            if not permit._settled:
                self._void_at_end(permit, permit._void)
        elif permit._fill is not None or not permit._settled:
            self._fill_at_end(permit)

    def _fill_at_end(self, permit: TradePermit) -> None:
        fill = permit._fill or _Fill()
        with _explained(permit, _AFTER_SENDING):
            self._settle(_Settlement(permit.id, permit.token, fill, None), None)

    def _void_at_end(self, permit: TradePermit, reason: str) -> Answer:
        try:
            text = _reason(reason)
        except LedgerError:
            # A reason that would be refused must not keep a trade in doubt that was never sent.
            text = "not sent"
        with _explained(permit, _BEFORE_SENDING):
            return self.void(permit, text)

    def is_live(self, permit: Permit) -> bool:
        """Whether the order may still be sent: its lease runs, on the boot clock, and its epoch is
        current. To be asked right before the exchange call."""
        wait = _Wait(self._lock_wait)
        with self._own(wait):
            claim = permit.trade.instance
            if not permit._lease.may_send(self._clock()):
                return False
            if claim is None:
                return True
            found = self._read(
                wait, lambda wait: self._database.rows(_SQL.CURRENT_EPOCH, (claim[0],), wait)
            )
            is_current = bool(found and found[0][0] == claim[1])
            return is_current and permit._lease.may_send(self._clock())

    def check(self, bot: str) -> Denial | None:
        """Why `reserve` would be denied now; None where it would not. Another process can change
        that in the next moment."""
        wait = _Wait(self._lock_wait)
        name = _name(bot)

        def look(wait: _Wait) -> Denial | None:
            now = self._clock()
            decision = _decide(None, self._facts(name, None, now.boot_id, wait), now)
            return self._denial(decision, now, wait)

        with self._own(wait):
            return self._read(wait, look)

    def bot(self, name: str) -> Bot:
        """The settings in force."""
        found = self._bots(_name(name))
        if not found:
            raise self._no_such_bot(name)
        return found[0]

    def bots(self) -> list[Bot]:
        """All bots, by name."""
        return self._bots(None)

    def _bots(self, name: str | None) -> list[Bot]:
        wait = _Wait(self._lock_wait)
        with self._own(wait):
            found = self._read(wait, lambda wait: self._database.rows(_SQL.BOTS, (name,), wait))
            self._expect_durable(wait)
        return [Bot(row[0], row[1], row[2], row[3], row[4] == 1) for row in found]

    def find(self, key: str) -> Trade | None:
        """The trade that `key` names: what to ask after `OutcomeUnknown`."""
        wait = _Wait(self._lock_wait)
        name = _key(key)
        with self._own(wait):
            stored = self._read(wait, lambda wait: self._stored(_SQL.TRADE_BY_KEY, name, wait))
            self._expect_durable(wait)
            return stored.seen(self._clock()) if stored is not None else None


# A ledger on a server ----------------------------------------------------------------------------


def _chosen(path: str | os.PathLike[str] | None) -> str:
    chosen = os.fspath(path) if path is not None else os.environ.get("TRADELEDGER_DB", "")
    if not chosen:
        raise _invalid("no path of a ledger was given", "give a path, or set TRADELEDGER_DB")
    return chosen


def _is_url(path: str) -> bool:
    return path.startswith(("postgresql://", "postgres://"))


class _ServerError(Exception):
    """What the server answered in place of a result. Nothing was written."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.message = message

    @property
    def may_pass(self) -> bool:
        """Others came first; or the schema was replaced by an upgrade while a function of the old
        one was looked up or at work: its transaction is undone, and the new one is found."""
        return (
            self.state in ("40001", "40P01", "0A000")
            or "cache lookup failed" in self.message
            or " with OID " in self.message
        )


class _ConnectionLost(Exception):
    """Without an answer. `was_sent`: what was asked may have been done. `is_full`: the server has
    no connection left."""

    def __init__(self, message: str, was_sent: bool, is_full: bool = False) -> None:
        super().__init__(message)
        self.was_sent = was_sent
        self.is_full = is_full


class _Lookup(threading.Thread):
    """Looks the name of a host up. That knows no limit, and libpq would do it with all threads of
    the process at a stand: so it is done before, on a thread of its own, one for each name."""

    _running: ClassVar[dict[str, _Lookup]] = {}
    _table: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, host: str) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._addresses: list[str] = []
        self._failure = ""

    @classmethod
    def addresses(cls, host: str, wait: _Wait) -> list[str]:
        with cls._table:
            lookup = cls._running.get(host)
            if lookup is None:
                lookup = cls(host)
                try:
                    lookup.start()
                except RuntimeError as error:
                    raise _ConnectionLost(str(error), False) from None
                cls._running[host] = lookup
        lookup.join(wait.left)
        if lookup.is_alive():
            text = f"the name of the host {_quoted(host)} is not resolved in time"
            raise _ConnectionLost(text, False)
        if not lookup._addresses:
            text = f"could not translate host name {_quoted(host)} to address: {lookup._failure}"
            raise _ConnectionLost(text, False)
        return lookup._addresses

    @classmethod
    def forget(cls) -> None:
        """In a forked child, which has no thread but one."""
        cls._running, cls._table = {}, threading.Lock()

    def run(self) -> None:
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        try:
            found = [
                socket.getnameinfo(entry[4], numeric)[0]
                for entry in socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
            ]
            self._addresses = list(dict.fromkeys(found))
        except (OSError, UnicodeError) as error:
            self._failure = _escaped(str(error))
        # It is in the table by now: that waits for the lock.
        with self._table:
            self._running.pop(self._host, None)


class _Server:
    """One connection, made anew where it was lost. Every statement is a transaction of its own and
    nothing depends on the session, so a pooler in transaction mode may stand in between."""

    # Beyond the wait for the lock, which the server ends: for the network, all in all.
    GRACE: Final = 2.0
    # Of that, before a write whose answer does not come is asked to be given up.
    PATIENCE: Final = 0.25
    # For a connection at least: without any wait one still gets a server that is there.
    CONNECTING: Final = 1.0
    # For the other end to be done with a cancel. No call waits for it, but the end of the process.
    CANCELLING: Final = 12.0
    # SQLSTATEs of a server that goes down or comes up: another try may be answered.
    # (40003: by its meaning the transaction may have been carried out.)
    AWAY: Final = ("57P01", "57P02", "57P03", "08", "40003")
    READ_ONLY: Final = "25006"
    FULL: Final = "53300"
    OLDEST: Final = 150_000
    # What holds where the URL says nothing else: a server that is gone is noticed in 20 seconds,
    # and the network does not forget an idle connection.
    DEFAULTS: Final = {
        "fallback_application_name": "tradeledger", "keepalives_idle": "10",
        "keepalives_interval": "3", "keepalives_count": "3", "tcp_user_timeout": "20000",
    }  # fmt: skip

    def __init__(self, url: str) -> None:
        try:
            from psycopg import OperationalError, ProgrammingError, pq
            from psycopg.conninfo import conninfo_to_dict, make_conninfo
        except ImportError:
            raise _configuration(
                "a ledger on a server needs the package psycopg", "pip install 'psycopg[binary]'"
            ) from None
        self._pq: Any = pq
        self._failure: type[Exception] = OperationalError
        self._conninfo: Callable[..., str] = make_conninfo
        try:
            settings = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        except (ProgrammingError, UnicodeError):
            settings = {"dbname": "@"}
        # The text is not repeated: a password with an odd character in it is the usual reason, and
        # the rest of it is then a part of what would be shown.
        if any("@" in settings.get(name, "").lstrip("@") or "@" in settings.get("dbname", "")
               for name in ("host", "port")):  # fmt: skip
            raise _invalid(
                "not a connection URL that libpq can read",
                "postgresql://USER@HOST:PORT/DATABASE; other characters as %40 and the like",
            )
        # As libpq would, so that what stands there is tried as any other.
        if "service" not in settings and "PGSERVICE" not in os.environ:
            for name in ("host", "hostaddr", "port"):
                if os.environ.get(f"PG{name.upper()}"):
                    settings.setdefault(name, os.environ[f"PG{name.upper()}"])
        # libpq's own time limits count for nothing where one waits for it: each host is tried for
        # its share of the wait.
        self._places = [
            {**self.DEFAULTS, **settings, **place, "client_encoding": "UTF8"}
            for place in self._hosts(settings)
        ]
        self.name = self._shown(settings)
        self._warnings: list[str] = []
        self._canceller: threading.Thread | None = None
        # The connection that it is for.
        self._cancelled: Any = None
        self.connection: Any = None
        # Which ledger was opened: another may answer at its address later.
        self.identity: list[str | None] | None = None

    @staticmethod
    def _hosts(settings: dict[str, str]) -> list[dict[str, str]]:
        """Host, address and port of each server that is named; a single port is that of all."""
        lists = {name: settings[name].split(",")
                 for name in ("host", "hostaddr", "port") if settings.get(name)}  # fmt: skip
        count = max([1, *(len(lists[name]) for name in lists if name != "port")])
        if len(lists.get("port", [])) == 1:
            lists["port"] *= count
        return [
            {name: values[index] if index < len(values) else "" for name, values in lists.items()}
            for index in range(count)
        ]

    @classmethod
    def _shown(cls, settings: dict[str, str]) -> str:
        """For people: who, where, which database. No password, wherever it was given."""
        places = []
        for place in cls._hosts(settings):
            host = (place.get("host") or place.get("hostaddr") or "").replace("/", "%2F")
            places.append(f"{host}:{place['port']}" if place.get("port") else host)
        user = f"{settings['user']}@" if settings.get("user") else ""
        database = settings.get("dbname") or settings.get("user") or ""
        return f"postgresql://{user}{','.join(places)}/{database}"

    def close(self) -> None:
        if self.connection is not None:
            self.connection.finish()
            self.connection = None

    def rows(
        self, sql: str, values: Sequence[object], wait: _Wait, end: _Wait, is_first: bool
    ) -> list[list[str | None]]:
        """Raises `_ServerError` and `_ConnectionLost`; the connection is closed with the latter.

        - `wait`: for a lock. `end`: of the whole call, which connecting and the answer keep to.
        - `is_first`: of what writes. Asked to be given up where it waits too long, and it leaves
          time to be looked up, should its answer not come.
        """
        try:
            if self.connection is not None and self._is_spoilt():
                self.close()
            if self.connection is None:
                self._connect(wait, end)
                self._expect_the_same(end)
            if not is_first:
                return self._ask(sql, values, end)
            answer = _Wait(min(end.left, wait.left + self.GRACE / 2))
            return self._ask(sql, values, answer, _Wait(wait.left + self.PATIENCE))
        except _ConnectionLost:
            self.close()
            raise
        except BaseException as error:
            # Interrupted, by a signal for example: an answer may still be on its way. Or a standby:
            # the address may lead to the primary by now.
            is_answer = isinstance(error, (_ServerError, LedgerError))
            if not is_answer or getattr(error, "state", "") == self.READ_ONLY:
                self.close()
            raise

    def _is_spoilt(self) -> bool:
        """Whether the other end has hung up since the last answer, or what asked it to give an
        earlier question up is still under way and might meet the next. Asks nothing."""
        if self._cancelled is self.connection and self._canceller is not None:
            if self._canceller.is_alive():
                return True
        with contextlib.suppress(self._failure):
            # Something is there although nothing was asked: a notice, or last words and the end.
            for _ in range(3):
                if not self._is_ready(self.connection.socket, 0, False):
                    break
                self.connection.consume_input()
            return bool(self.connection.status != self._pq.ConnStatus.OK)
        return True

    def _expect_the_same(self, end: _Wait) -> None:
        """Whoever went on in another ledger would trade in two."""
        if self.identity is None:
            return
        try:
            found = self._ask(_IDENTITY, (), end)[0]
        except _ConnectionLost as lost:
            raise _ConnectionLost(str(lost), False) from None
        except _ServerError:
            self.close()
            raise
        if found != self.identity:
            self.close()
            raise _ServerError("TL004", "another ledger than the one that was opened")

    def _connect(self, wait: _Wait, end: _Wait) -> None:
        lost = _ConnectionLost("no server is named", False)
        whole = _Wait(max(wait.left, min(self.CONNECTING, end.left)))
        for index, place in enumerate(self._places):
            share = _Wait(whole.left / (len(self._places) - index))
            try:
                addresses = self._addresses(place, share)
            except _ConnectionLost as error:
                lost = error
                continue
            for number, address in enumerate(addresses):
                try:
                    self._connect_to(address, _Wait(share.left / (len(addresses) - number)))
                    return
                except _ConnectionLost as error:
                    lost = error
                    self.close()
        raise lost

    def _addresses(self, place: dict[str, str], wait: _Wait) -> list[bytes]:
        """Where to connect to, for libpq: the place with each address of its host, or the place
        alone where nothing has to be looked up."""
        host = place.get("host", "")
        is_name = host[:1] not in ("", "/", "@") and not re.fullmatch(r"[0-9.]+|.*:.*", host)
        found: list[dict[str, str]] = [{}]
        if is_name and not place.get("hostaddr"):
            found = [{"hostaddr": address} for address in _Lookup.addresses(host, wait)]
        return [self._conninfo("", **place, **address).encode() for address in found]

    def _connect_to(self, place: bytes, wait: _Wait) -> None:
        pq = self._pq
        connection = pq.PGconn.connect_start(place)
        self.connection = connection
        while True:
            if connection.status == pq.ConnStatus.BAD:
                raise self._refused(connection.error_message.decode(errors="replace").strip())
            state = connection.connect_poll()
            if state == pq.PollingStatus.OK:
                break
            if state == pq.PollingStatus.FAILED:
                continue
            self._await(wait.left, state == pq.PollingStatus.WRITING, False)
        if 0 < connection.server_version < self.OLDEST:
            version = (connection.parameter_status(b"server_version") or b"").decode()
            self.close()
            raise _configuration(
                f"{_quoted(self.name)} is PostgreSQL {_escaped(version)}, which is too old",
                "use a server of PostgreSQL 15 or later",
            )
        connection.nonblocking = 1
        # (No method of this object: a ledger that is dropped takes its connection along at once.)
        fields, warnings = pq.DiagnosticField, self._warnings

        def noticed(notice: Any) -> None:
            """Somebody, this client perhaps, has ended the wait for a standby: the server then says
            that it has committed, and with this warning that the standby may not have it."""
            if notice.error_field(fields.SQLSTATE) == b"01000":
                text = notice.error_field(fields.MESSAGE_PRIMARY) or b""
                warnings.append(text.decode(errors="replace"))

        connection.notice_handler = noticed

    def _refused(self, text: str) -> Exception:
        """libpq tells why a connection was refused in words alone, where it has tried with and
        without encryption for both."""
        text = _escaped(text)
        if re.search(_FULL, text):
            return _ConnectionLost(text, False, is_full=True)
        for words, code, hint in _REFUSALS:
            if re.search(words, text):
                self.close()
                return _error(code, f"{_quoted(self.name)}: {text}", hint)
        return _ConnectionLost(text, False)

    def _ask(
        self, sql: str, values: Sequence[object], end: _Wait, patience: _Wait | None = None
    ) -> list[list[str | None]]:
        pq, connection = self._pq, self.connection
        self._warnings.clear()
        texts = [None if value is None else str(value).encode() for value in values]
        try:
            connection.send_query_params(sql.encode(), texts)
            while connection.flush() == 1:
                self._await(end.left, True, True)
            results = []
            while True:
                connection.consume_input()
                while connection.is_busy():
                    if patience is not None and not self._is_ready(
                        connection.socket, min(patience.left, end.left), False
                    ):
                        patience = None
                        self._give_up()
                    self._await(end.left, False, True)
                    connection.consume_input()
                result = connection.get_result()
                if result is None:
                    break
                results.append(result)
        except self._failure as error:
            raise _ConnectionLost(_escaped(str(error)), True) from None
        # The first error says why. That of a COMMIT comes after the row that was not committed.
        errors = [result for result in results if result.status != pq.ExecStatus.TUPLES_OK]
        result = next(iter(errors + results), None)
        if self._warnings:
            raise _ConnectionLost(_escaped(self._warnings[0]), True)
        if connection.status == pq.ConnStatus.BAD or result is None:
            text = connection.error_message.decode(errors="replace").strip()
            raise _ConnectionLost(_escaped(text), True)
        if result.status == pq.ExecStatus.TUPLES_OK:
            return [
                [self._text(result, row, column) for column in range(result.nfields)]
                for row in range(result.ntuples)
            ]

        def field(code: Any) -> str:
            return _escaped((result.error_field(code) or b"").decode(errors="replace"))

        fields = pq.DiagnosticField
        state, message = field(fields.SQLSTATE), field(fields.MESSAGE_PRIMARY)
        if state == self.FULL:
            # Of a pooler, which has no place for it at the server.
            raise _ConnectionLost(message, False, is_full=True)
        if not state or state.startswith(self.AWAY):
            raise _ConnectionLost(message, True)
        raise _ServerError(state, message)

    @staticmethod
    def _text(result: Any, row: int, column: int) -> str | None:
        value = result.get_value(row, column)
        return None if value is None else value.decode()

    @staticmethod
    def _is_ready(descriptor: int, seconds: float, for_writing: bool) -> bool:
        # Not select, which knows no descriptor beyond 1023.
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if for_writing else select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _await(self, seconds: float, for_writing: bool, was_sent: bool) -> None:
        if not self._is_ready(self.connection.socket, seconds, for_writing):
            raise _ConnectionLost("the server does not answer", was_sent)

    def _give_up(self) -> None:
        """Asks the server to: in a queue it may wait twice, once for its place and once for the
        lock. In a thread, because it waits for the network."""
        if self._canceller is not None and self._canceller.is_alive():
            return
        call: Callable[..., None]
        if self._pq.version() >= 170_000 and hasattr(self.connection, "cancel_conn"):
            call, cancel = self._cancel, self.connection.cancel_conn()
        elif self._pq.__impl__ == "python":
            call, cancel = self._cancel_with_old_libpq, self.connection.get_cancel()
        else:
            # Its C code would keep all threads waiting for the network. `lock_timeout` has to do.
            return
        self._canceller = threading.Thread(target=call, args=(cancel,), daemon=True)
        self._cancelled = self.connection
        # Where no thread is to be had, `lock_timeout` has to do as well.
        with contextlib.suppress(RuntimeError):
            self._canceller.start()
            _cancellers.add(self._canceller)

    def _cancel(self, cancel: Any) -> None:
        """Stays until the other end hangs up, even where nobody needs it any longer, the process has
        come to its end for example: PgBouncer 1.18 ends itself over a cancel that goes away earlier.
        (It hangs up after 10 s at most.)"""
        states = self._pq.PollingStatus
        wait = _Wait(self.CANCELLING)
        with contextlib.suppress(self._failure):
            cancel.start()
            while (state := cancel.poll()) in (states.READING, states.WRITING):
                if not self._is_ready(cancel.socket, wait.left, state == states.WRITING):
                    break
        cancel.finish()

    def _cancel_with_old_libpq(self, cancel: Any) -> None:
        with contextlib.suppress(self._failure):
            cancel.cancel()


_cancellers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def _await_cancels() -> None:
    """At the end of the process."""
    wait = _Wait(_Server.CANCELLING)
    for canceller in list(_cancellers):
        canceller.join(wait.left)


atexit.register(_await_cancels)

# What libpq says of a connection that is refused for good: words, code and hint. The first that
# fits: it may have tried without encryption as well, and been refused for that too.
_REFUSALS: Final = (
    ("password authentication failed|no password supplied", "permission",
     "give the right password, in the URL, in PGPASSWORD or in ~/.pgpass"),
    ("does not support SSL|SSL required|certificate(?! authentication)", "configuration",
     "set the URL right: sslmode and the certificates have to fit what the server asks for"),
    (r"\A(?!.*SSL encryption).*no encryption", "permission",
     "the server wants TLS: add sslmode=verify-full, or at least sslmode=require, to the URL"),
    ('database ".*" does not exist|no such database', "no_ledger",
     "create it (createdb), then run tradeledger init --db with the same URL"),
    ("authentication failed|pg_hba.conf|does not exist|not permitted to log in", "permission",
     "see who may connect from here: pg_hba.conf of the server, and the name of the role"),
    (r"\Ainvalid ", "configuration", "set the URL right"),
)  # fmt: skip
_FULL: Final = "too many c(lient|onnection)s|connection slots are reserved|no more connections allowed"

# The columns of tradeledger.answer before the trade, and after it.
_ANSWER_HEAD: Final = 11
_ATTEMPT: Final = """
SELECT * FROM tradeledger.attempt($1, $2, $3, $4, $5, $6, $7, $8, $9::integer, $10, $11::bigint,
  $12, $13, $14::bigint, $15::integer, $16::bigint)"""
_SETTLE: Final = """
SELECT * FROM tradeledger.settle($1::bigint, NULL, $2, $3, $4, $5, $6::bigint, $7, $8::integer,
  $9::bigint)"""
_CHECK: Final = "SELECT * FROM tradeledger.check_bot($1, $2::bigint)"
_IS_LIVE: Final = "SELECT tradeledger.is_live($1::bigint, $2, $3::bigint)"
_FIND: Final = """
SELECT t.*, tradeledger.server_now() FROM tradeledger.trade_rows AS t WHERE t.key = $1"""
_BOTS: Final = """
SELECT name, cooldown_us, lease_us, in_doubt, enabled FROM tradeledger.bot_rows
WHERE $1::text IS NULL OR name = $1 ORDER BY name"""
_OPENING: Final = """
SELECT tradeledger.layout(), (SELECT mode FROM tradeledger.ledger_row),
  current_setting('default_transaction_isolation'),
  (SELECT created_at FROM tradeledger.ledger_row),
  (""" + _SERVER_FINGERPRINT + ")"

# Neither changes, and both go along into a copy or a standby.
_IDENTITY: Final = "SELECT mode, created_at FROM tradeledger.ledger_row"


class _ServerLedger(Ledger):
    """A ledger on a PostgreSQL server: schema.postgres.sql decides, by the server's clock."""

    def __init__(
        self, path: str | os.PathLike[str] | None = None, lock_wait: float = 5.0, *,
        instance: str | None = None, epoch: int | None = None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._begin(lock_wait, instance, epoch, clock)
        url = _chosen(path)
        self._brings_clock = clock is not None
        self._server = _Server(url)
        self.path = self._server.name
        _ledgers.add(self)
        try:
            self._open(_Wait(lock_wait))
        except BaseException:
            self._server.close()
            raise

    def _open(self, wait: _Wait) -> None:
        row = self._opening(wait)
        layout = int(row[0] or 0)
        if layout > _LAYOUT:
            raise _error(
                "newer_schema", f"{_quoted(self.path)} has layout {layout}; this client knows "
                f"{_LAYOUT}", "use the client that belongs to that tradeledger",
            )  # fmt: skip
        if layout < _LAYOUT:
            raise _configuration(
                f"{_quoted(self.path)} has the older layout {layout}; this client knows {_LAYOUT}",
                "let an operator bring it up to date: tradeledger init --db with the same URL",
            )
        self._expect_shipped(row[4])
        if row[1] is None:
            text = f"{_quoted(self.path)} has the schema of a ledger but no mode"
            raise _error("not_a_ledger", text, "make ledgers with `tradeledger init`")
        if row[2] != "read committed":
            raise _configuration(
                f"transactions of {_quoted(self.path)} are {row[2]} by default",
                "ALTER ROLE ... SET default_transaction_isolation = 'read committed'",
            )
        self.mode = row[1]
        self._server.identity = [row[1], row[3]]

    def _opening(self, wait: _Wait) -> list[str | None]:
        try:
            return self._rows(_OPENING, (), wait)[0]
        except LedgerError as error:
            # No ledger, or a part of its schema is gone.
            if error.code == "not_a_ledger":
                self._expect_shipped(self._rows(_SERVER_FINGERPRINT, (), wait)[0][0])
            raise

    def _expect_shipped(self, fingerprint: str | None) -> None:
        """Refuses a schema that is there and not, object for object, that of
        schema.postgres.sql."""
        if fingerprint is None:
            return
        found = dict(line.rsplit("\t", 1) for line in fingerprint.split("\n") if "\t" in line)
        altered = []
        for name in sorted({*found, *_SERVER_SCHEMA}):
            # A view's text is left out where the server is later than the last that was tried.
            if name.startswith("text of ") and not (name in found and name in _SERVER_SCHEMA):
                continue
            if name not in found:
                altered.append(f"{name} is missing")
            elif name not in _SERVER_SCHEMA:
                altered.append(f"{_escaped(name)} does not belong to it")
            elif found[name] != _SERVER_SCHEMA[name]:
                altered.append(f"{name} was changed")
        if altered:
            more = f"; {len(altered) - 20} more" if len(altered) > 20 else ""
            raise _error(
                "schema_altered",
                f"the schema of {_quoted(self.path)} was altered: {'; '.join(altered[:20])}{more}",
                "somebody changed the rules of this ledger; an operator makes them as they were "
                "with `tradeledger init --repair`. Nothing was written",
            )

    def _handles(self) -> list[Any]:
        return [self._server.connection]

    def close(self) -> None:
        """Closes the connection. Later calls are refused. Nothing in a fork."""
        if self._pid != os.getpid() or self._refusal is not None:
            return
        with self._lock:
            self._refusal = _configuration("the ledger was closed", "open it again")
            if self._is_at_work:
                return  # By a handler within a call of this thread, which goes on to its end.
            self._server.close()

    # One statement

    def _rows(self, sql: str, values: Sequence[object], wait: _Wait) -> list[list[str | None]]:
        """A look: repeated as often as it is not answered, within the wait."""
        return self._ask(sql, values, wait)[0]

    def _ask(
        self, sql: str, values: Sequence[object], wait: _Wait, limit: int | None = None
    ) -> tuple[list[list[str | None]], bool]:
        """What the server answers, and whether an earlier try may have been carried out.

        A lost answer is asked for again: with the same key and token nothing is done twice.
        `limit`: the place in `values` where the wait for a lock goes, for what writes.
        """
        was_sent = False
        asked = list(values)
        pause = 0.004
        end = wait.and_then(_Server.GRACE)
        while True:
            # Once an answer was lost, all that is left is for finding out what became of it.
            left = end if was_sent else wait
            if limit is not None:
                asked[limit] = max(1, round(left.left * 1000))
            try:
                is_first = limit is not None and not was_sent
                return self._server.rows(sql, asked, left, end, is_first), was_sent
            except _ConnectionLost as lost:
                was_sent = was_sent or limit is not None and lost.was_sent
                failure = self._not_reached(lost)
            except _ServerError as error:
                # Nothing was written by this try.
                failure = self._translated(error)
                if not error.may_pass:
                    break
            except LedgerError as error:
                failure = error
                break
            if not (end if was_sent else wait).nap(pause):
                break
            # A server that is full or away is not asked as fast as one can.
            pause = min(pause * 2, 0.1)
        # What speaks against this try says nothing about one before, which may be carried out.
        raise self._unknown(failure.message) if was_sent else failure

    def _not_reached(self, lost: _ConnectionLost) -> LedgerError:
        if lost.is_full:
            return _error(
                "busy", f"the server has no connection left: {_quoted(self.path)}: {lost}",
                "nothing was written; close what is not needed, put a pooler in front of the "
                "server, or raise max_connections", "safe",
            )  # fmt: skip
        return _error(
            "unavailable", f"{_quoted(self.path)} cannot be reached: {lost}",
            "nothing was written; check the server and the network, then try again", "safe",
        )  # fmt: skip

    def _unknown(self, cause: str) -> LedgerError:
        return _error(
            "outcome_unknown", f"the answer of {_quoted(self.path)} was lost ({cause})",
            "send no order and give the key to no other one; try again with the same key and "
            "token, or look the key up", "check_first",
        )  # fmt: skip

    def _translated(self, error: _ServerError) -> LedgerError:
        state, text = error.state, f"{_quoted(self.path)}: {error.message}"
        if state in ("55P03", "40001", "40P01", "57014"):
            return _error(
                "busy", f"no answer within the wait limit: {error.message}",
                "nothing was written; try again with the same key, or raise the wait limit", "safe",
            )  # fmt: skip
        if state in ("3F000", "42P01", "42883", "42703"):
            return _error("not_a_ledger", text, "make the ledger with `tradeledger init --db URL`")
        if state == "TL004":
            return _error(
                "ledger_moved", f"{text}, or replaced by it while it was open",
                "send no order; stop all workers, see what the address leads to, start again, and "
                "look the key up before trading",
            )  # fmt: skip
        if state == "42501":
            hint = "GRANT tradeledger_worker to this role"
            return _error("permission", text, hint)
        if state in ("53100", "53200", "53000"):
            return _error(
                "io", f"the server has no room left: {text}",
                "nothing was written and nothing was lost; make room and try again", "safe",
            )
        if state in ("25006", "TL000", "TL003"):
            hint = (
                "use the address of the primary, READ COMMITTED, with client_min_messages as they "
                "are by default; a clock only in a simulation"
            )
            return _configuration(text, hint)
        if state.startswith("TL"):
            return _bug(f"{state}: {text}")
        return _error("io", f"{text} ({state})", "nothing was written; look at the server", "safe")

    @property
    def _now_us(self) -> int | None:
        return self._clock().wall_us if self._brings_clock else None

    # Answers

    def _trade_of(self, row: Sequence[str | None], start: Reading, now_us: int) -> _Stored:
        """A trade, with its admission on the clock of this machine: `start` lies before the
        server's `now_us`, so a lease ends here first."""
        numbers = {0, 8, 10, 12, 13, 14, 16, 18, 21, 22, 25, 26}
        values = [
            int(value) if index in numbers and value is not None else value
            for index, value in enumerate(row)
        ]
        trade = _stored_trade(values).trade
        boot_us = start.boot_us - (now_us - trade.created_at_us)
        created = Reading(trade.created_at_us, start.boot_id, boot_us)
        return _Stored(trade, row[9], created)

    def _answer(
        self, row: Sequence[str | None], start: Reading
    ) -> tuple[str, _Stored | None, Denial | None, bool]:
        """The outcome, the trade, why not, and whether the permit is the caller's."""
        outcome, reason, detail = row[0] or "", row[1], row[2]
        retry, behind, restored, pid, epoch, now = (
            None if row[index] is None else int(row[index] or 0) for index in (4, 5, 6, 7, 9, 10)
        )
        trade = row[_ANSWER_HEAD : _ANSWER_HEAD + 27]
        stored = self._trade_of(trade, start, now or 0) if trade[0] is not None else None
        if outcome == "error" and reason != "invalid_input":
            what = "trade" if reason == "no_such_trade" else "bot"
            hint = f"list them with `tradeledger {'trades --all' if what == 'trade' else 'bot list'}`"
            raise _error(reason or "", f"no such {what} in {_quoted(self.path)}", hint)
        if outcome == "error":
            hint = "record what has happened, with the time at which it did"
            raise _invalid(f"not a fact of the past: {detail}", hint)
        denial = None
        if outcome == "denied":
            denial = Denial(
                reason or "", stored.trade if stored else None, retry, behind, pid,
                (row[8], epoch) if row[8] is not None and epoch is not None else None, restored,
            )  # fmt: skip
        return outcome, stored, denial, row[3] == "t"

    def _attempt(self, attempt: _Attempt, lock_wait: float | None) -> _Outcome:
        wait = _Wait(self._lock_wait if lock_wait is None else lock_wait)
        order, fill = attempt.order, attempt.fill
        claim = attempt.claim or (None, None)
        kind = "reserve" if fill is None else "record" if fill.at is None else "past"
        values = (
            kind, order.bot, attempt.key, order.side, order.symbol, order.quantity, order.price,
            attempt.token, self._pid, *claim, fill.quantity if fill else None,
            fill.price if fill else None, fill.at if fill else None, None, self._now_us,
        )  # fmt: skip
        with self._own(wait):
            start = self._clock()
            rows, was_sent = self._ask(_ATTEMPT, values, wait, 14)
        outcome, stored, denial, with_permit = self._answer(rows[0], start)
        if was_sent and outcome == "replayed" and attempt.is_own and (with_permit or fill):
            # Key or token were made for this call: it is what the lost try has written.
            outcome = "admitted"
        if was_sent and denial is not None and denial.reason != "key_conflict":
            # The lost try may still be on its way, in the queue of a pooler for example, and be
            # admitted later than this one was denied.
            raise self._unknown(f"another try was denied: {denial.reason}")
        kind = "denied" if denial is not None else outcome
        return self._told(_Outcome(kind, stored, denial, with_permit), attempt)

    def _settle(self, settlement: _Settlement, lock_wait: float | None) -> Answer:
        wait = _Wait(self._lock_wait if lock_wait is None else lock_wait)
        fill = settlement.fill
        values = (
            settlement.trade, "void" if fill is None else "filled", settlement.token,
            fill.quantity if fill else None, fill.price if fill else None,
            fill.at if fill else None, settlement.reason, None, self._now_us,
        )  # fmt: skip
        with self._own(wait):
            rows, was_sent = self._ask(_SETTLE, values, wait, 7)
        outcome, stored, denial, _ = self._answer(rows[0], self._clock())
        if stored is None:
            raise _bug("an answer without its trade")
        return self._told_settled(stored.trade, denial, outcome == "settled" or was_sent)

    def is_live(self, permit: Permit) -> bool:
        """Whether the order may still be sent: its lease runs, by the server's clock and by this
        machine's since the permit was asked for, and its epoch is current."""
        wait = _Wait(self._lock_wait)
        with self._own(wait):
            if not permit._lease.may_send(self._clock()):
                return False
            values = (permit.id, permit.token, self._now_us)
            is_live = self._rows(_IS_LIVE, values, wait)[0][0] == "t"
            return is_live and permit._lease.may_send(self._clock())

    def check(self, bot: str) -> Denial | None:
        """Why `reserve` would be denied now; None where it would not."""
        wait = _Wait(self._lock_wait)
        name = _name(bot)
        with self._own(wait):
            rows = self._rows(_CHECK, (name, self._now_us), wait)
        return self._answer(rows[0], self._clock())[2]

    def _bots(self, name: str | None) -> list[Bot]:
        wait = _Wait(self._lock_wait)
        with self._own(wait):
            found = self._rows(_BOTS, (name,), wait)
        return [
            Bot(row[0] or "", int(row[1] or 0), int(row[2] or 0), row[3] or "", row[4] == "1")
            for row in found
        ]

    def find(self, key: str) -> Trade | None:
        """The trade that `key` names: what to ask after `OutcomeUnknown`."""
        wait = _Wait(self._lock_wait)
        with self._own(wait):
            found = self._rows(_FIND, (_key(key),), wait)
        if not found:
            return None
        now = self._clock()
        stored = self._trade_of(found[0][:27], now, 0)
        server_now = self._now_us or int(found[0][-1] or 0)
        return stored.seen(Reading(server_now))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The answer to an attempt."""

    kind: str
    """admitted, replayed or denied."""
    stored: _Stored | None = None
    denial: Denial | None = None
    with_permit: bool = False

    @property
    def known(self) -> _Stored:
        if self.stored is None:
            raise _bug("an answer without its trade")
        return self.stored

    @property
    def is_for_good(self) -> bool:
        """Whether it names a row of somebody else's and stays true."""
        return self.kind == "replayed" or self.denial is not None and not self.denial.transient


@dataclass(frozen=True, slots=True)
class _Settled:
    """The answer to a settlement, with what was written for it."""

    trade: Trade
    denial: Denial | None = None
    row: _SettledRow | None = None
    conflict: tuple[_Value, ...] | None = None


def _settle_values(trade: int, row: _SettledRow) -> tuple[_Value, ...]:
    filled = row.filled
    boot = None if filled is None or filled.boot_id is None else filled.boot_us
    return (
        trade, row.status, filled.wall_us if filled else None, row.price, row.quantity,
        row.exchange_at, row.received_at, filled.boot_id if filled else None, boot, row.token,
        row.reason, int(row.late), int(row.superseded),
    )  # fmt: skip


def _stored_reading(wall: int, boot_id: str | None, boot: int | None) -> Reading:
    return Reading(wall, boot_id, boot or 0) if boot is not None else Reading(wall)


def _stored_trade(row: _Row) -> _Stored:
    """The columns of `Statements.tradeColumns`."""
    trade = Trade(
        id=row[0], bot=row[1], key=row[2], origin=row[3], side=row[4], symbol=row[5],
        quantity=row[6], price=row[7], cooldown_us=row[8], pid=row[10],
        instance=(row[11], row[12]) if row[11] is not None else None, created_at_us=row[13],
        lease_until_us=row[14], status=row[17], filled_at_us=row[18], filled_price=row[19],
        filled_quantity=row[20], exchange_at_us=row[21], received_at_us=row[22],
        settled_by_operator=row[23] == "operator", reason=row[24], late=row[25] == 1,
        superseded=row[26] == 1,
    )  # fmt: skip
    return _Stored(trade, row[9], _stored_reading(row[13], row[15], row[16]))


def _created(permit: Permit) -> Reading:
    lease, trade = permit._lease, permit.trade
    boot = lease.boot_until - lease.until + trade.created_at_us
    return Reading(trade.created_at_us, lease.boot_id, boot)


_AFTER_SENDING: Final = (
    "the order was sent, but its fill is not on record",
    "stands and counts; look key {key} up at the exchange, then call fill again or resolve it",
)
_BEFORE_SENDING: Final = (
    "the order was not sent, but its row stands",
    "counts until it is void; call void again, or resolve it once its lease is over",
)


@contextlib.contextmanager
def _explained(permit: Permit, when: tuple[str, str]) -> Iterator[None]:
    """Errors of the second phase, in words that say where the order is. Never `Busy`: whoever
    repeats the call from the start would be told of a replay."""
    try:
        yield
    except LedgerError as error:
        hint = f"trade {permit.id} of {permit.trade.bot} " + when[1].format(key=permit.key)
        kind = OutcomeUnknown if isinstance(error, OutcomeUnknown) else LedgerError
        raise kind(error.code, f"{when[0]}: {error.message}", hint, "check_first") from error


# Celery -------------------------------------------------------------------------------------------


class TaskLedger:
    """The ledger inside a Celery task: the id of the task is the key of its order."""

    def __init__(self, ledger: Ledger, key: str) -> None:
        self.ledger: Final = ledger
        self.key: Final = key

    def trade(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount = None
    ) -> contextlib.AbstractContextManager[TradePermit]:
        """`Ledger.trade` with the task's id as key. One order for each task."""
        return self.ledger.trade(bot, side, symbol, quantity, price, key=self.key)

    def record(
        self, bot: str, side: str, symbol: str, quantity: Amount, price: Amount = None
    ) -> Answer:
        """`Ledger.record` with the task's id as key."""
        return self.ledger.record(bot, side, symbol, quantity, price, key=self.key)


def celery_task(
    path: str | os.PathLike[str] | None = None, *, lock_wait: float = 5.0,
    busy_countdown: float = 1.0,
) -> Callable[
    [Callable[Concatenate[Any, TaskLedger, _P], _T]], Callable[Concatenate[Any, _P], _T | None]
]:  # fmt: skip
    """Makes a bound Celery task trade through the ledger:

        @app.task(bind=True, max_retries=None, acks_late=True)
        @tradeledger.celery_task("/var/lib/bots/ledger.db")
        def execute_trade(task, ledger, bot, side, symbol, quantity):
            with ledger.trade(bot, side, symbol, quantity) as permit:
                permit.filled(price=send(client_order_id=permit.key))

    The second argument is given by this decorator, not by the sender. Denied for a reason that time
    lifts, the task is retried when it is lifted; where the ledger could not answer and nothing was
    written (busy, no server, a full disk), after `busy_countdown` seconds.
    A task that is delivered twice sends nothing the second time and ends with None. Other refusals
    and errors are the task's own. The ledger is opened in the process that runs the task.
    """

    def decorate(
        body: Callable[Concatenate[Any, TaskLedger, _P], _T],
    ) -> Callable[Concatenate[Any, _P], _T | None]:
        @functools.wraps(body)
        def run(task: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
            try:
                ledger = TaskLedger(Ledger.shared(path, lock_wait), _key(str(task.request.id)))
                return body(task, ledger, *args, **kwargs)
            except Replayed as replay:
                winner = replay.winner
                _log.warning(
                    "task delivered again key=%s trade=%s status=%s", task.request.id,
                    winner.id if winner else None, winner.status if winner else None,
                )  # fmt: skip
                return None
            except Denied as denied:
                if not denied.transient:
                    raise
                raise task.retry(exc=denied, countdown=denied.retry_after) from denied
            except LedgerError as error:
                if error.retry != "safe":
                    raise
                raise task.retry(exc=error, countdown=busy_countdown) from error

        # Celery checks what a sender gives against the signature.
        signature = inspect.signature(body)
        names = list(signature.parameters.values())
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=names[:1] + names[2:]
        )
        del run.__wrapped__
        return run

    return decorate
