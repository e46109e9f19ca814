"""pgmq as plain SQL (the SQL that its Python package carries) with its own async client."""
import asyncio

import psycopg
from common import Peer, chunks, main, payload
from pgmq import AsyncPGMQueue
from pgmq.install import get_embedded_install_sql, get_embedded_sql_version, install_pgmq_sql


class Pgmq(Peer):
    packages = ("pgmq", "asyncpg")
    settings = {"read qty": 100, "vt": "30 s (default)", "ack": "archive_batch per read",
                "wait": "read_with_poll 100 ms (default)", "bulk": "send_batch 1000", "sql": get_embedded_sql_version()}
    remaining_sql = "select count(*) from pgmq.q_bench"
    history = "kept in the archive table"

    async def client(self, pool):
        q = AsyncPGMQueue(conn_string=self.dsn, pool_size=pool, init_extension=False)
        await q.init()
        return q

    async def setup(self):
        install_pgmq_sql(get_embedded_install_sql(), dsn=self.dsn)
        q = await self.client(1)
        await q.create_queue("bench")

    async def open_producer(self, slots):
        self.q = await self.client(slots)

    async def enqueue(self, slot, n):
        await self.q.send("bench", payload(n))

    async def bulk(self, n):
        for r in chunks(n, 1000):
            await self.q.send_batch("bench", [payload(i) for i in r])

    async def worker(self, sink):
        q = await self.client(2)
        while True:
            rows = await q.read_with_poll("bench", qty=100)
            for m in rows:
                await sink.handle(m.message["id"])
            if rows:
                await q.archive_batch("bench", [m.msg_id for m in rows])


if __name__ == "__main__":
    main(Pgmq)
