"""What the measurements share: psql and pgbench, the load of others, the rows that are measured."""
from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BINARIES = pathlib.Path(os.environ["CLUB_POSTGRES_BIN"])
ROWS: list[dict] = []


def program(name: str) -> str:
    """A client program of the server's own folder, else of any installation."""
    others = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    for candidate in (BINARIES / name, shutil.which(name), *others):
        if candidate and os.access(candidate, os.X_OK):
            return str(candidate)
    raise RuntimeError(f"there is no {name}")


def dsn(db: str) -> str:
    """A URL, because every peer understands one."""
    return f"postgresql://{os.environ['PGUSER']}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{db}"


def psql(db: str, *statements: str, file: pathlib.Path | None = None) -> str:
    command = [program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", db]
    for statement in statements:
        command += ["-c", statement]
    if file:
        command += ["-f", str(file)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr.strip()[-2000:])
    return result.stdout.strip()


def fresh_db(db: str, template: str | None = None) -> None:
    psql("postgres", f'drop database if exists "{db}" with (force)',
         f'create database "{db}"' + (f' template "{template}"' if template else ""))


def pgbench(db: str, script: str, *, clients=1, seconds=None, transactions=None, variables=None) -> float:
    """Transactions a second, connection times left out."""
    command = [program("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))]
    command += ["-T", str(seconds)] if seconds else ["-t", str(transactions)]
    for name, value in (variables or {}).items():
        command += ["-D", f"{name}={value}"]
    result = subprocess.run(command + ["-f", str(HERE / script), db], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    rate = re.search(r"tps = ([\d.]+) \(without initial", result.stdout)
    if not rate:
        raise RuntimeError("pgbench came to no transaction: the machine is too busy")
    return float(rate.group(1))


def busy_ticks() -> tuple[int, int]:
    """Ticks of the whole machine: those in which it worked, and all."""
    fields = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def others_busy(seconds: float = 1.0) -> float:
    """Cores in use while we do nothing ourselves."""
    busy, total = busy_ticks()
    time.sleep(seconds)
    busy_after, total_after = busy_ticks()
    return round((busy_after - busy) / max(total_after - total, 1) * (os.cpu_count() or 1), 2)


def wait_quiet(limit: float = 0.35) -> float:
    """Waits until others use less than `limit` cores, for at most PEERS_PATIENCE seconds, and says what they use."""
    end = time.monotonic() + float(os.environ.get("PEERS_PATIENCE", "20"))
    while (load := others_busy()) > limit and time.monotonic() < end:
        time.sleep(3)
    return load


def record(kind: str, **row) -> None:
    row = {"kind": kind, "at": time.strftime("%Y-%m-%dT%H:%M:%S"), **row}
    ROWS.append(row)
    if "PEERS_JSON" in os.environ:
        print(json.dumps(row), flush=True)
    else:
        note(f"{kind} {row.get('peer', '')} {row.get('rate', row.get('seconds', row.get('error', '')))}")


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else None
