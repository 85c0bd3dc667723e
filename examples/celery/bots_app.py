"""The Celery application that both versions of the task share: broker, results, delivery."""

import os

from celery import Celery

_REDIS = "redis+socket://" + os.path.join(os.getcwd(), "redis.sock")

app = Celery("bots", broker=_REDIS, backend=_REDIS)
app.conf.update(
    # A message that nobody acknowledged for this long is delivered again. It has to be longer than
    # the longest wait for a retry, or waiting tasks multiply: see docs/CELERY.md.
    broker_transport_options={
        "visibility_timeout": float(os.environ.get("BOTS_VISIBILITY_TIMEOUT", 60)),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
    # A task is acknowledged when it has ended, and comes again when its process was killed.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)
