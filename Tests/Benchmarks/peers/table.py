"""Measured rows as Markdown tables: medians, with the extremes where there was more than one round."""
from __future__ import annotations

import collections
import statistics


def tables(rows) -> str:
    kinds = collections.defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    makers = {"setup": peers, "enqueue": enqueue, "bulk": bulk, "burn": burn, "steady": steady, "kill": kill,
              "error": errors}
    texts = [row["version"] for row in kinds["server"]]
    return "\n".join(texts + [make(kinds[kind]) for kind, make in makers.items() if kinds[kind]])


def table(title, head, lines, note="") -> str:
    text = [f"\n## {title}\n"] + ([note + "\n"] if note else [])
    text += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(text + ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines])


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def span(values, digits=0):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    middle = number(statistics.median(values), digits)
    extremes = f" ({number(min(values), digits)}..{number(max(values), digits)})"
    return middle + (extremes if len(values) > 1 else "")


def groups(rows, *keys):
    found = collections.OrderedDict()
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found.items()


def column(rows, key):
    return [row[key] for row in rows]


def noise(rows):
    worst = max(row.get("others_cores", 0) for row in rows)
    return f"others used {worst} cores" if worst > 0.5 else "quiet"


def rates(rows):
    return [span(column(rows, "rate")), span(column(rows, "raw")), span(column(rows, "ratio"), 3)]


def peers(rows):
    def versions(row):
        return ", ".join(f"{name} {version}" for name, version in row["versions"].items())

    def settings(row):
        return "; ".join(f"{name}: {value}" for name, value in row["settings"].items())

    return table("Peers", ["peer", "versions", "settings that differ from its defaults, or matter", "finished jobs"],
                 [[row["peer"], versions(row), settings(row), row["history"]] for row in rows],
                 "`floor` is no peer: the least that a Python client on asyncpg must do.")


def enqueue(rows):
    lines = [[peer, producers, *rates(found), span(column(found, "wal_per_job")),
              span(column(found, "commits_per_job"), 2), noise(found)]
             for (peer, producers), found in groups(rows, "peer", "producers")]
    return table("Enqueue, one job per commit",
                 ["peer", "producers", "jobs/s", "raw INSERT/s", "ratio", "WAL B/job", "commits/job", "noise"], lines,
                 "16 producers are 2 processes with 8 connections each. Raw: pgbench with as many clients.")


def bulk(rows):
    lines = [[peer, *rates(found), span(column(found, "wal_per_job")), noise(found)]
             for (peer,), found in groups(rows, "peer")]
    return table("Bulk enqueue of 50,000", ["peer", "jobs/s", "raw COPY rows/s", "ratio", "WAL B/job", "noise"], lines)


def burn(rows):
    lines = []
    for (peer, processes), found in groups(rows, "peer", "procs"):
        moves = "/".join(number(statistics.median(column(found, f"rows_{kind}_per_job")), 1)
                         for kind in ("ins", "upd", "del"))
        lines.append([peer, processes, f"{found[0]['n']:,}", *rates(found), span(column(found, "wal_per_job")),
                      span(column(found, "commits_per_job"), 3), moves, span(column(found, "dead_left")),
                      sum(row["extra_runs"] or 0 for row in found), sum(column(found, "left")), noise(found)])
    return table("Burn-down of waiting no-op jobs",
                 ["peer", "processes", "jobs", "jobs/s", "raw claim 4 x 100 jobs/s", "ratio", "WAL B/job",
                  "commits/job", "rows ins/upd/del per job", "dead rows left", "extra runs", "unfinished", "noise"],
                 lines, "From the first handler's start until nothing is unfinished in the database. Costs are of the "
                        "burn-down alone.")


def steady(rows):
    lines = []
    for (peer, rate), found in groups(rows, "peer", "rate"):
        def of(key, share):
            return span([row[key][share] for row in found if row[key]], 1)
        lines.append([peer, rate, *(of("commit_to_start_ms", share) for share in ("p50", "p95", "p99", "max")),
                      of("call_to_start_ms", "p50"), of("call_to_start_ms", "p99"),
                      span(column(found, "producer_call_p50_ms"), 1),
                      sum(row["sent"] - row["started"] for row in found), noise(found)])
    return table("Steady load, commit to handler, ms",
                 ["peer", "jobs/s", "p50", "p95", "p99", "max", "call to start p50", "call to start p99",
                  "enqueue call p50", "not started", "noise"], lines,
                 "Open loop from one process with 8 connections; one worker process. Commit is the moment when the "
                 "enqueue call returned.")


def kill(rows):
    return table("kill -9 of the worker that holds the job",
                 ["peer", "seconds until another process starts the job"],
                 [[row["peer"], row["note"] or number(row["seconds"], 2)] for row in rows])


def errors(rows):
    return table("Failures", ["peer", "phase", "error"],
                 [[row["peer"], row["phase"], row["error"].replace("\n", " ")[-300:]] for row in rows])
