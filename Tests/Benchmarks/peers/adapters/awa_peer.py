import asyncio
import os
from dataclasses import dataclass

from awa import AsyncClient
from common import Peer, chunks, main, payload

WORKERS = int(os.environ.get("AWA_WORKERS", "256"))


@dataclass
class Bench:
    id: int
    pad: str


class Awa(Peer):
    packages = ("awa-pg",)
    settings = {"max_workers": WORKERS, "pool": 20, "bulk": "enqueue_many_copy 10000",
                "rest": "defaults (claim_batch_size 512, poll 200 ms, 1 shard, 1 claimer)"}
    remaining_sql = "select count(*) from awa.jobs where state not in ('completed','failed','cancelled')"

    async def setup(self):
        c = AsyncClient(self.dsn)
        await c.migrate()
        async with await c.transaction() as tx:     # its documented step after migrating: straight to queue storage
            await tx.fetch_one("select awa.storage_auto_finalize_if_fresh('awa') is null as x")

    async def open_producer(self, slots):
        self.c = AsyncClient(self.dsn, max_connections=max(2, slots))

    async def enqueue(self, slot, n):
        await self.c.insert(Bench(**payload(n)), queue="default")

    async def bulk(self, n):
        for r in chunks(n, 10_000):
            await self.c.enqueue_many_copy([Bench(**payload(i)) for i in r], queue="default")

    async def worker(self, sink):
        c = AsyncClient(self.dsn, max_connections=20)

        @c.task(Bench, queue="default")
        async def bench(job):
            await sink.handle(job.args.id)

        await c.start([{"name": "default", "max_workers": WORKERS}])
        await asyncio.Event().wait()


if __name__ == "__main__":
    main(Awa)
