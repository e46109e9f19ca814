import json
import os
from datetime import timedelta

import asyncpg
from common import Peer, chunks, main, payload
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = int(os.environ.get("PGQUEUER_BATCH", "100"))


class Pgqueuer(Peer):
    packages = ("pgqueuer", "asyncpg", "uvloop")
    settings = {"batch_size": f"{BATCH} (its guide: raise for short jobs; default 10)",
                "driver": "asyncpg pool + uvloop", "bulk": "enqueue lists of 1000",
                "heartbeat_timeout": "30 s (default)"}
    remaining_sql = "select count(*) from pgqueuer"
    history = "deleted from the queue, one log row per status change kept"

    async def pool(self, n):
        return await asyncpg.create_pool(self.dsn, min_size=n, max_size=n)

    async def setup(self):
        await Queries(AsyncpgPoolDriver(await self.pool(2))).install()

    async def open_producer(self, slots):
        self.q = Queries(AsyncpgPoolDriver(await self.pool(slots)))

    async def enqueue(self, slot, n):
        await self.q.enqueue("bench", json.dumps(payload(n)).encode())

    async def bulk(self, n):
        for r in chunks(n, 1000):
            await self.q.enqueue(["bench"] * len(r), [json.dumps(payload(i)).encode() for i in r], [0] * len(r))

    async def worker(self, sink):
        pgq = PgQueuer(AsyncpgPoolDriver(await self.pool(5)))

        @pgq.entrypoint("bench")
        async def bench(job: Job) -> None:
            await sink.handle(json.loads(job.payload)["id"])

        await pgq.run(batch_size=BATCH, dequeue_timeout=timedelta(seconds=30))


if __name__ == "__main__":
    main(Pgqueuer)
