"""The five phases. Each measures one peer in a fresh database, beside the raw limit right before and after."""
from __future__ import annotations

import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time

import psycopg

from harness import HERE, dsn, fresh_db, percentile, pgbench, program, psql, record, wait_quiet

PEERS = {  # name: Python environment; None for a program of its own
    "club": None, "club-single": None, "floor": "driver", "procrastinate": "procrastinate", "pgqueuer": "pgqueuer",
    "oban": "oban", "awa": "awa", "pgmq": "pgmq",
}
VENVS = pathlib.Path(os.environ["PEERS_VENVS"])
SCRATCH = tempfile.TemporaryDirectory(prefix="club-peers-run.")
TMP = pathlib.Path(SCRATCH.name)
RAW = "raw"
KILL_LIMIT = int(os.environ.get("PEERS_KILL_LIMIT", "60"))


def command(peer: str) -> list[str] | None:
    """How the peer's adapter is started; None when it is not installed."""
    own = os.environ.get("PEERS_CMD_" + peer.replace("-", "_"))
    if own:
        return own.split()
    venv = PEERS.get(peer)
    if not venv or not (VENVS / venv / "ready").exists():
        return None
    return [str(VENVS / venv / "bin/python"), f"{peer}_peer.py"]


class Adapter:
    """One process of a peer's adapter."""

    def __init__(self, peer: str, db: str, verb: str, **options):
        args = [*command(peer), verb, "--dsn", dsn(db)]
        for name, value in options.items():
            args += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        self.errors_file = open(TMP / f"{peer}.{verb}.{time.monotonic_ns()}.err", "w+")
        self.process = subprocess.Popen(
            args, cwd=HERE / "adapters", stdout=subprocess.PIPE, stderr=self.errors_file, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def result(self, timeout=300) -> dict:
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("timed out: " + self.errors())
        lines = [line for line in output.splitlines() if line.startswith("{")]
        if self.process.returncode or not lines:
            raise RuntimeError(f"ended with {self.process.returncode}: {self.errors()}")
        return json.loads(lines[-1])

    def errors(self) -> str:
        self.errors_file.flush()
        return pathlib.Path(self.errors_file.name).read_text()[-1500:]

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def raw_setup():
    fresh_db(RAW)
    psql(RAW, file=HERE / "sql/schema.sql")


def raw_insert(clients, seconds=2):
    psql(RAW, "truncate job, history")
    return pgbench(RAW, "sql/insert1.sql", clients=clients, seconds=seconds)


def raw_copy(n=50_000):
    path = TMP / "copy.tsv"
    if not path.exists():
        path.write_text("".join(f'{i}\tdefault\t{{"id": {i}, "pad": "{"x" * 76}"}}\n' for i in range(n)))
    psql(RAW, "truncate copied")
    start = time.monotonic()
    psql(RAW, f"\\copy copied from '{path}'")
    return n / (time.monotonic() - start)


def raw_claim(batch=100, clients=4, n=100_000):
    psql(RAW, "truncate job, history", f"insert into job (args) select payload(g) from generate_series(1, {n}) g",
         "vacuum analyze job")
    return batch * pgbench(
        RAW, "sql/claim.sql", clients=clients, transactions=n // (batch * clients), variables={"batch": batch})


class Meter:
    """WAL, commits and rows between two moments of one database."""

    def __init__(self, db):
        self.connection = psycopg.connect(dsn(db), autocommit=True)
        self.db = db
        self.before = self.read()

    def read(self):
        time.sleep(1.1)                                     # backends report their counts once a second
        self.connection.execute("select pg_stat_force_next_flush()")
        wal, commits = self.connection.execute(
            "select pg_current_wal_insert_lsn() - '0/0', xact_commit from pg_stat_database where datname = %s",
            (self.db,)).fetchone()
        inserted, updated, deleted, dead, vacuums = self.connection.execute(
            "select sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del), sum(n_dead_tup), sum(autovacuum_count)"
            " from pg_stat_user_tables").fetchone()
        return {"wal": int(wal), "commits": commits, "ins": int(inserted), "upd": int(updated), "del": int(deleted),
                "dead": int(dead), "vacuums": int(vacuums)}

    def wal(self):
        return int(self.connection.execute("select pg_current_wal_insert_lsn() - '0/0'").fetchone()[0])

    def per_job(self, n, wal_end=None):
        after = self.read()
        d = {key: after[key] - self.before[key] for key in after}
        return {"wal_per_job": round(((wal_end or after["wal"]) - self.before["wal"]) / n),
                "commits_per_job": round(d["commits"] / n, 3), "rows_ins_per_job": round(d["ins"] / n, 2),
                "rows_upd_per_job": round(d["upd"] / n, 2), "rows_del_per_job": round(d["del"] / n, 2),
                "dead_left": after["dead"], "autovacuums": d["vacuums"]}


def beside(rate, before, after):
    """A rate and its raw limit, which was measured right before and right after."""
    raw = (before + after) / 2
    return {"rate": round(rate), "raw": round(raw), "ratio": round(rate / raw, 3),
            "raw_spread": round(abs(before - after) / raw, 2)}


def work_db(peer):
    db = f"w_{peer}"
    fresh_db(db, f"t_{peer}")
    return db


def setup(peer):
    fresh_db(f"t_{peer}")
    info = Adapter(peer, f"t_{peer}", "setup").result()
    record("setup", peer=peer, **info)
    return info


def enqueue(peer, info, rnd, seconds):
    """One job per commit, from one producer and from sixteen."""
    for slots, processes in ((1, 1), (16, 2)):
        db, noise = work_db(peer), wait_quiet()
        before = raw_insert(slots)
        meter = Meter(db)
        at = time.monotonic() + 4
        producers = [Adapter(peer, db, "produce", slots=slots // processes, seconds=seconds, start_at=at)
                     for _ in range(processes)]
        results = [producer.result() for producer in producers]
        cost = meter.per_job(sum(r["n"] for r in results))
        after = raw_insert(slots)
        rate = sum(r["n"] / r["seconds"] for r in results)
        record("enqueue", peer=peer, producers=slots, **beside(rate, before, after), wal_per_job=cost["wal_per_job"],
               commits_per_job=cost["commits_per_job"], round=rnd, others_cores=noise)


def bulk(peer, info, rnd, seconds):
    """50,000 jobs by the peer's own bulk call."""
    db, noise = work_db(peer), wait_quiet()
    n = 50_000
    before = raw_copy()
    meter = Meter(db)
    result = Adapter(peer, db, "bulk", n=n).result()
    cost = meter.per_job(n)
    after = raw_copy()
    record("bulk", peer=peer, **beside(n / result["seconds"], before, after), wal_per_job=cost["wal_per_job"],
           round=rnd, others_cores=noise)


def counters(files):
    """(handled, first, last) of each worker that has begun; times in ns of the monotonic clock."""
    values = [f.read_bytes() if f.exists() else b"" for f in files]
    return [struct.unpack("3q", v) for v in values if len(v) == 24]


def burn(peer, info, rnd, seconds):
    """Pre-filled no-op jobs, by one worker process and by two."""
    for processes in (1, 2):
        burn_by(peer, info, rnd, processes)


def burn_by(peer, info, rnd, processes):
    n = int(os.environ.get("PEERS_BURN_N", info["burn_n"]))
    db, noise = work_db(peer), wait_quiet()
    Adapter(peer, db, "bulk", n=n).result()
    psql(db, "analyze", "checkpoint")
    before = raw_claim()
    meter = Meter(db)
    files = [TMP / f"{peer}.{rnd}.{processes}.{i}.cnt" for i in range(processes)]
    at = time.monotonic() + 4
    workers = [Adapter(peer, db, "worker", counter=f, start_at=at) for f in files]
    try:
        done_at = wait_until_done(meter, info, workers, files, n)
        wal_end = meter.wal()
        left = int(meter.connection.execute(info["remaining_sql"]).fetchone()[0])
    finally:
        for worker in workers:
            worker.kill()
    time.sleep(0.5)                                         # their backends report on leaving
    begun = [c for c in counters(files) if c[0]]
    first, hits = min(c[1] for c in begun), sum(c[0] for c in begun)
    cost = meter.per_job(max(hits, 1), wal_end)
    meter.connection.close()
    after = raw_claim()
    record("burn", peer=peer, procs=processes, n=n, **beside((n - left) / ((done_at - first) / 1e9), before, after),
           left=left, extra_runs=hits - n if not left else None, **cost, round=rnd, others_cores=noise)


def wait_until_done(meter, info, workers, files, n, limit=240):
    """The moment when nothing is unfinished in the database, acknowledgements included."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if any(worker.process.poll() is not None for worker in workers):
            raise RuntimeError("worker ended: " + " / ".join(worker.errors() for worker in workers))
        if sum(c[0] for c in counters(files)) >= n:
            if int(meter.connection.execute(info["remaining_sql"]).fetchone()[0]) == 0:
                break
        time.sleep(0.02)
    return time.monotonic_ns()


def steady(peer, info, rnd, seconds, rate=200):
    """An open loop of 200 jobs a second: from commit to the handler's start."""
    db, noise, seconds = work_db(peer), wait_quiet(), max(10, 2 * seconds)
    worker_log, producer_log = TMP / f"{peer}.{rnd}.w.log", TMP / f"{peer}.{rnd}.p.log"
    worker = Adapter(peer, db, "worker", log=worker_log)
    try:
        time.sleep(6)
        Adapter(peer, db, "steady", slots=8, rate=rate, seconds=seconds, log=producer_log).result(seconds + 60)
        starts = wait_for_starts(worker_log, int(rate * seconds))
    finally:
        worker.kill()
    rows = [tuple(map(int, line.split())) for line in producer_log.read_text().splitlines()]
    pick_up = [(starts[i] - after) / 1e6 for i, _, _, after in rows if i in starts]
    call = [(starts[i] - before) / 1e6 for i, _, before, _ in rows if i in starts]
    record("steady", peer=peer, rate=rate, sent=len(rows), started=len(pick_up), commit_to_start_ms=spread(pick_up),
           call_to_start_ms=spread(call),
           producer_call_p50_ms=round(percentile([(c - b) / 1e6 for _, _, b, c in rows], .5), 2), round=rnd,
           others_cores=noise)


def wait_for_starts(log, n, limit=20):
    """The first start of each job, as the worker has logged it."""
    end = time.monotonic() + limit
    while True:
        starts = {}
        for line in log.read_text().splitlines() if log.exists() else []:
            job, moment, _ = map(int, line.split())
            starts.setdefault(job, moment)
        if sum(job >= 0 for job in starts) >= n or time.monotonic() > end:
            return starts
        time.sleep(0.5)


def spread(values):
    if not values:
        return None
    shares = {f"p{p}": round(percentile(values, p / 100), 2) for p in (50, 95, 99)}
    return shares | {"max": round(max(values), 2)}


def has_begun(log):
    return log.exists() and log.stat().st_size > 0


def kill(peer, info, rnd, seconds):
    """A holds the job, B waits beside it, A is killed with SIGKILL: seconds until B starts the job."""
    db = f"k_{peer}"
    fresh_db(db, f"t_{peer}")
    log_a, log_b = TMP / f"{peer}.a.log", TMP / f"{peer}.b.log"
    a, b = Adapter(peer, db, "worker", log=log_a, hold=True), None
    try:
        time.sleep(5)
        Adapter(peer, db, "one", n=7).result()
        end = time.monotonic() + 30
        while not has_begun(log_a):
            if time.monotonic() > end:
                raise RuntimeError("A never started the job: " + a.errors())
            time.sleep(0.05)
        b = Adapter(peer, db, "worker", log=log_b)
        time.sleep(8)
        start = time.monotonic()
        a.kill()
        while not has_begun(log_b) and time.monotonic() - start < KILL_LIMIT:
            time.sleep(0.02)
        record("kill", peer=peer, seconds=round(time.monotonic() - start, 2) if has_begun(log_b) else None,
               note="" if has_begun(log_b) else f"not within {KILL_LIMIT} s", round=rnd)
    finally:
        a.kill()
        if b:
            b.kill()
