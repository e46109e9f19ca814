"""Runs the phases over the peers in turn, in opposite order every other round. Started by `run`, which see."""
from __future__ import annotations

import argparse
import os
import threading
import time

import phases
from harness import ROWS, note, psql, record
from table import tables


def safely(phase, peer, info, rnd, seconds):
    """A peer that fails is recorded as such, and the others go on."""
    try:
        getattr(phases, phase)(peer, info, rnd, seconds)
    except Exception as error:
        record("error", peer=peer, phase=phase, round=rnd, error=f"{type(error).__name__}: {error}")


def prepare(names):
    infos = {}
    for peer in names:
        if not phases.command(peer):
            note(f"{peer} is not there and is left out")
            continue
        try:
            infos[peer] = phases.setup(peer)
        except Exception as error:
            record("error", peer=peer, phase="setup", error=str(error))
    return infos


def kill_all(infos, seconds):
    """This is waiting, not work: all peers at once."""
    threads = [threading.Thread(target=safely, args=("kill", peer, info, 0, seconds)) for peer, info in infos.items()]
    for thread in threads:
        thread.start()
        time.sleep(1)
    for thread in threads:
        thread.join()


def main():
    names = ",".join(phases.PEERS)
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("--peers", default=names, help=names)
    parser.add_argument("--phases", default="enqueue,bulk,burn,steady,kill")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each enqueue; twice as many of each steady")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of tables")
    options = parser.parse_args()
    if options.json:
        os.environ["PEERS_JSON"] = "1"
    record("server", version=psql("postgres", "select version()"), cores=os.cpu_count())
    phases.raw_setup()
    infos = prepare(options.peers.split(","))
    chosen = options.phases.split(",")
    for rnd in range(options.rounds):
        for phase in (p for p in chosen if p != "kill"):
            for peer in list(infos) if rnd % 2 == 0 else reversed(list(infos)):
                safely(phase, peer, infos[peer], rnd, options.seconds)
    if "kill" in chosen:
        kill_all(infos, options.seconds)
    if not options.json:
        print(tables(ROWS))


main()
