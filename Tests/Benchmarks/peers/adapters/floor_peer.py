"""Not a peer: the least a Python client can do on asyncpg. Insert and after-commit bell; batch claim with
per-batch transaction (delete + history). It shows how much of a figure is Python and the protocol."""
import asyncio
import json

import asyncpg
from common import Peer, chunks, main, payload


class Floor(Peer):
    packages = ("asyncpg",)
    settings = {"claim_batch": 500, "bell": "separate connection after commit, coalesced", "poll_s": 1}
    remaining_sql = "select count(*) from job"

    async def setup(self):
        c = await asyncpg.connect(self.dsn)
        await c.execute("""
            create table job (
                id bigint generated always as identity primary key,
                args jsonb not null,
                run_at timestamptz not null default now()
            );
            create table history (
                id bigint primary key,
                args jsonb not null,
                done_at timestamptz not null default now()
            )""")
        await c.close()

    async def open_producer(self, slots):
        self.conns = [await asyncpg.connect(self.dsn) for _ in range(slots)]
        self.stmts = [await c.prepare("insert into job(args) values ($1)") for c in self.conns]
        self.bell_conn = await asyncpg.connect(self.dsn)
        self.bell = asyncio.Event()
        asyncio.get_running_loop().create_task(self.ring())

    async def ring(self):
        while True:
            await self.bell.wait()
            self.bell.clear()
            await self.bell_conn.execute("notify bell")
            await asyncio.sleep(0.001)

    async def enqueue(self, slot, n):
        await self.stmts[slot].fetch(json.dumps(payload(n)))
        self.bell.set()

    async def bulk(self, n):
        for r in chunks(n, 10_000):
            rows = [(json.dumps(payload(i)),) for i in r]
            await self.conns[0].copy_records_to_table("job", columns=["args"], records=rows)

    async def worker(self, sink):
        c = await asyncpg.connect(self.dsn)
        lis = await asyncpg.connect(self.dsn)
        wake = asyncio.Event()
        await lis.add_listener("bell", lambda *_: wake.set())
        claim = await c.prepare("delete from job where id in (select id from job order by id limit 500 "
                                "for update skip locked) returning id, args")
        keep = await c.prepare("insert into history(id, args) select * from unnest($1::bigint[], $2::jsonb[])")
        while True:
            async with c.transaction():
                rows = await claim.fetch()
                for r in rows:
                    await sink.handle(json.loads(r["args"])["id"])
                if rows:
                    await keep.fetch([r["id"] for r in rows], [r["args"] for r in rows])
            if not rows:
                try:
                    await asyncio.wait_for(wake.wait(), 1)
                except asyncio.TimeoutError:
                    pass
                wake.clear()


if __name__ == "__main__":
    main(Floor)
