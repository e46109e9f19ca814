"""Takes the leader of a replicated database away, in three ways, while tills post receipts, and counts what became of them.

Called by deploy/test-ha, in a network namespace of its own, with a cluster that runs and services that are ready. What is
acknowledged to a till must be there once, whatever happens, and the services must go on by themselves.
"""

import argparse
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

import psycopg

RESUME_MAX = 10.0
KEY_ID, KEY_SECRET = "0000000000000001", "secret"
MEMBERS = 20
TILLS = 4


class Cluster:
    """Three nodes under Patroni behind HAProxy, as the cluster's script lays them out."""

    def __init__(self, script, folder):
        self.script, self.folder = script, folder

    def database(self):
        return psycopg.connect(
            "host=127.0.0.1 port=5500 dbname=club user=postgres connect_timeout=2 keepalives_idle=1 "
            "keepalives_interval=1 keepalives_count=3 options='-c statement_timeout=5000'", autocommit=True)

    def nodes(self):
        """Roles by node, as the first one that answers has them."""
        for node in (1, 2, 3):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:800{node}/cluster", timeout=2) as answer:
                    members = json.load(answer)["members"]
                return {int(member["name"][1:]): (member["role"], member.get("state")) for member in members}
            except OSError:
                continue
        return {}

    def leader(self):
        leaders = [node for node, (role, _) in self.nodes().items() if role == "leader"]
        return leaders[0] if leaders else None

    def await_health(self, synchronous):
        """Until there are a leader and two standbys that follow, one of them synchronous where it is asked for."""
        def healthy():
            roles = sorted(role for role, state in self.nodes().values() if state in ("running", "streaming"))
            wanted = ["leader", "replica", "sync_standby"] if synchronous else ["leader", "replica", "replica"]
            return roles == wanted
        wait_until("the cluster is whole", healthy, 120)

    def processes(self, node):
        """Patroni, the server and all of its processes."""
        found = []
        with open(f"{self.folder}/n{node}.pid", encoding="utf-8") as file:
            found.append(int(file.read()))
        try:
            with open(f"{self.folder}/pg{node}/postmaster.pid", encoding="utf-8") as file:
                server = int(file.readline())
        except FileNotFoundError:
            return found
        found.append(server)
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True)
        return found + [int(child) for child in children.stdout.split()]

    def signal(self, processes, number):
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def start(self, node):
        subprocess.run(["bash", self.script, "node", self.folder, str(node)], check=True, stdout=subprocess.DEVNULL)

    def switch_over(self, leader):
        request = urllib.request.Request(
            f"http://127.0.0.1:800{leader}/switchover", json.dumps({"leader": f"n{leader}"}).encode(),
            {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


def wait_until(what, condition, limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if condition():
                return
        except psycopg.Error:
            pass
        time.sleep(0.1)
    raise SystemExit(f"Within {limit} s did not happen: {what}")


def card_number(number):
    """Sixteen digits, the last one Luhn's."""
    payload = f"7{number:014d}"
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(reversed(payload)))
    return payload + str(-total % 10)


class Till(threading.Thread):
    """Posts receipts one after the other, each with the same triple until it is acknowledged."""

    def __init__(self, number, port, cards, stop):
        super().__init__(daemon=True)
        self.memory, self.port, self.cards, self.stop = f"{9000000000000000 + number}", port, cards, stop
        self.acknowledged = []  # (when, document number, points)
        self.repeated = 0
        self.wrong = []

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            body = json.dumps(self.receipt(number)).encode()
            while not self.post(number, body):
                self.repeated += 1
                time.sleep(0.05)

    def receipt(self, number):
        return {
            "fiscal": {"fn": self.memory, "fd": number, "fpd": number * 7919 % 2**32}, "store": "drill",
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began)),
            "card": self.cards[number % len(self.cards)], "total": 10000,
            "lines": [{"position": 1, "sku": "drill-1", "category": "drill", "quantity": 1000, "price": 10000,
                       "sum": 10000}]}

    began = time.time()

    def post(self, number, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", "/pos/v1/receipts", body, {
                "Content-Type": "application/json", "Authorization": f"Bearer ck_{KEY_ID}_{KEY_SECRET}"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status in (200, 201):
                self.acknowledged.append((time.monotonic(), number, json.loads(text)["points"]))
                return True
            if answer.status < 500 and answer.status != 429:
                # No answer that an outage explains: said at the end, and not repeated for ever.
                self.wrong.append(f"{answer.status} {text[:200]}")
                self.stop.set()
                return True
            return False
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Drill:
    def __init__(self, cluster, port, ledger, pause):
        self.cluster, self.port, self.ledger, self.pause = cluster, port, ledger, pause
        self.tills, self.stop, self.failures = [], threading.Event(), []

    def seed(self):
        """A store, a till's key and members' cards, where auth's events would put them."""
        cards = [card_number(number) for number in range(MEMBERS)]
        with self.cluster.database() as database:
            database.execute(
                "insert into promotions.store (store_id, title) values ('drill', 'Drill') on conflict do nothing")
            database.execute(
                "insert into promotions.till_key (till_key, hash, scopes, revoked, changed_at) "
                "values (%s, %s, '{receipts}', false, now()) on conflict do nothing",
                (KEY_ID, hashlib.sha256(KEY_SECRET.encode()).digest()))
            for card in cards:
                database.execute(
                    "insert into promotions.member_card (card, member_id, issued_at) values (%s, %s, now()) "
                    "on conflict do nothing", (card, uuid.uuid4()))
        return cards

    def acknowledged(self):
        return sum(len(till.acknowledged) for till in self.tills)

    def last(self):
        return max((till.acknowledged[-1][0] for till in self.tills if till.acknowledged), default=0.0)

    def posted(self):
        with self.cluster.database() as database:
            return database.execute("select count(*) from ledger.receipt").fetchone()[0]

    def event(self, name, act, mend):
        """What happens to the leader, and how long tills and the ledger are without it."""
        self.cluster.await_health(synchronous=True)
        leader = self.cluster.leader()
        before, begin = self.acknowledged(), time.monotonic()
        act(leader)
        wait_until("another node leads", lambda: self.cluster.leader() not in (None, leader), 60)
        leads = time.monotonic() - begin
        wait_until("receipts are accepted", lambda: self.last() - begin > leads, 60)
        accepted = min(
            moment for till in self.tills for moment, _, _ in till.acknowledged if moment - begin > leads) - begin
        # Of all that was acknowledged until now the last one is in the books: the ledger works again.
        count = self.acknowledged()
        wait_until("the ledger posts", lambda: self.posted() >= count, 60)
        posting = time.monotonic() - begin
        gap = self.longest_gap(begin)
        mend(leader)
        print(f"{name}: node {leader} left; another led after {leads:.1f} s, receipts after {accepted:.1f} s "
              f"(longest pause of all tills {gap:.1f} s), the ledger had caught up after {posting:.1f} s; "
              f"{count - before} receipts were acknowledged meanwhile", flush=True)
        if gap > RESUME_MAX:
            self.failures.append(f"{name}: receipts paused for {gap:.1f} s, and {RESUME_MAX:.0f} are allowed")
        time.sleep(self.pause)

    def longest_gap(self, since):
        moments = sorted(m for till in self.tills for m, _, _ in till.acknowledged if m > since - 1)
        return max((b - a for a, b in zip(moments, moments[1:])), default=float("inf"))

    def run(self):
        cards = self.seed()
        self.tills = [Till(number, self.port, cards, self.stop) for number in range(TILLS)]
        for till in self.tills:
            till.start()
        wait_until(
            "every till has been answered",
            lambda: self.stop.is_set() or all(len(till.acknowledged) > 5 for till in self.tills), 60)
        if self.stop.is_set():
            raise SystemExit("A till was refused: " + "; ".join(w for till in self.tills for w in till.wrong))
        time.sleep(self.pause)
        cluster = self.cluster
        self.event(
            "SIGKILL of the leader", lambda node: cluster.signal(cluster.processes(node), signal.SIGKILL),
            cluster.start)
        self.event("planned switchover", cluster.switch_over, lambda node: None)
        frozen = []

        def cut_off(node):
            frozen.extend(cluster.processes(node))
            cluster.signal(frozen, signal.SIGSTOP)

        self.event(
            "cut-off leader", cut_off, lambda node: cluster.signal(frozen, signal.SIGCONT))
        self.stop.set()
        for till in self.tills:
            till.join(60)
        self.cluster.await_health(synchronous=True)
        self.judge()

    def judge(self):
        acknowledged = {
            (int(till.memory), number): points for till in self.tills for _, number, points in till.acknowledged}
        wait_until("the ledger has everything", lambda: self.posted() >= len(acknowledged), 60)
        with self.cluster.database() as database:
            receipts = database.execute("select fn, fd, receipt_id from ledger.receipt").fetchall()
            effects = database.execute(
                "select count(*), count(distinct subject) from ledger.transaction where subject in "
                "(select receipt_id from ledger.receipt)").fetchone()
            points = database.execute("select coalesce(sum(available_after), 0)::bigint from ("
                                      "select distinct on (member_id) available_after from ledger.transaction "
                                      "order by member_id, id desc) t").fetchone()[0]
            dead = database.execute("select coalesce(sum(dead), 0)::bigint from queue.stats()").fetchone()[0]
            broken = database.execute("select count(*) from queue.check()").fetchone()[0]
        known = {(fn, fd) for fn, fd, _ in receipts}
        lost = len(set(acknowledged) - known)
        duplicates = (len(receipts) - len(known)) + (effects[0] - effects[1])
        expected = sum(acknowledged.values())
        print(f"acknowledged {len(acknowledged)}, posts repeated {sum(till.repeated for till in self.tills)}, "
              f"lost {lost}, duplicates {duplicates}, points {points} of {expected}, dead letters {dead}, "
              f"violations of the queue {broken}")
        self.failures += [wrong for till in self.tills for wrong in till.wrong]
        for count, what in ((lost, "acknowledged receipts are lost"), (duplicates, "effects are doubled"),
                            (abs(points - expected), "points are wrong"), (dead, "jobs are dead"),
                            (broken, "invariants of the queue are broken")):
            if count:
                self.failures.append(f"{count} {what}")
        for failure in self.failures:
            print("NOT HELD:", failure)
        print("held" if not self.failures else "not held")
        sys.exit(1 if self.failures else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--script", required=True, help="the cluster's script")
    parser.add_argument("--cluster", required=True, help="the cluster's folder")
    parser.add_argument("--promotions", type=int, required=True, help="the port of promotions")
    parser.add_argument("--ledger", type=int, required=True, help="the port of ledger")
    parser.add_argument("--pause", type=float, default=5, help="seconds of load between two events")
    options = parser.parse_args()
    Drill(Cluster(options.script, options.cluster), options.promotions, options.ledger, options.pause).run()


if __name__ == "__main__":
    main()
