"""Load on a running system, as tills, members and the evening rush make it. README.md beside this file says how to run it.

What a run may not exceed is in THRESHOLDS; a run that does ends with exit code 1 and says what it was. Users are lean
(FastHttpUser), because the generator usually shares the machine with the system.
"""

import json
import os
import random
import threading
import time
import urllib.parse
import uuid

import gevent
from locust import LoadTestShape, events, task
from locust.contrib.fasthttp import FastHttpUser

ACCOUNTS = os.environ.get("LOAD_ACCOUNTS", "accounts.json")
SCENARIO = os.environ.get("LOAD_SCENARIO", "mixed")
# Receipts a second that all tills together try to post, and reads a second of all members together.
RATE = float(os.environ.get("LOAD_RATE", "50"))
MINUTES = float(os.environ.get("LOAD_MINUTES", "2"))

ACCEPTANCE = "till: receipt accepted"
VISIBLE = "till to visible balance"
# Statistics whose p99 (ms) is held against a limit, and how much of all may fail.
THRESHOLDS = {
    ACCEPTANCE: float(os.environ.get("LOAD_ACCEPTANCE_P99", "100")),
    VISIBLE: float(os.environ.get("LOAD_VISIBLE_P99", "250")),
}
FAILURES_MAX = float(os.environ.get("LOAD_FAILURES", "0.0"))

with open(ACCOUNTS, encoding="utf-8") as file:
    SYSTEM = json.load(file)
MEMBERS = SYSTEM["members"]
# Behind the edge all services have one address (--host); in a system of `club up` each has its own.
SERVICES = SYSTEM.get("services", {})

GOODS = [
    ("demo-101", "moloko-syr-ajca", 9490),
    ("demo-301", "maso-i-ptica", 42990),
    ("demo-402", "ovosi-frukty-griby", 24990),
]


class Account:
    """A member with a session, lent to one user at a time: a refresh token is good once."""

    def __init__(self, member):
        self.member = member

    @property
    def headers(self):
        return {"Authorization": "Bearer " + self.member["access"]}


FREE = [Account(member) for member in MEMBERS]
LOCK = threading.Lock()


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def basket():
    lines = []
    for position, (sku, category, price) in enumerate(random.sample(GOODS, random.randint(1, 3)), 1):
        count = random.randint(1, 3)
        lines.append({
            "position": position, "sku": sku, "category": category, "quantity": count * 1000, "price": price,
            "sum": price * count,
        })
    return lines, sum(line["sum"] for line in lines)


def now_and_then(rate):
    """A wait between tasks that makes `rate` of them a second on average, at moments that have nothing to do with other
    users' or with how long the last one took. Users with a beat would act in the same moments for the whole run, because
    they are made by the dozen."""

    def wait(user):
        due = getattr(user, "due", time.perf_counter()) + random.expovariate(rate)
        user.due = due
        return max(0, due - time.perf_counter())

    return wait


class ClubUser(FastHttpUser):
    abstract = True
    network_timeout = 30
    connection_timeout = 10

    def on_start(self):
        gevent.sleep(self.wait_time())

    def url(self, service, path):
        return urllib.parse.urljoin(SERVICES.get(service, self.host), path)


class TillUser(ClubUser):
    """A till that closes two receipts a second on average: as many tills as the rate needs."""

    abstract = True
    wait_time = now_and_then(2)

    def on_start(self):
        super().on_start()
        self.memory = "%016d" % random.randrange(10**15, 10**16)
        self.number = 0
        self.headers = {"Authorization": "Bearer " + SYSTEM["tillKey"]}

    def receipt(self, card, authorisation=None):
        self.number += 1
        lines, total = basket()
        body = {
            "fiscal": {"fn": self.memory, "fd": self.number, "fpd": random.randrange(1, 2**32)},
            "store": SYSTEM["store"], "at": now(), "card": card, "lines": lines, "total": total,
        }
        if authorisation:
            body["authorisations"] = [authorisation]
        return body

    def sell(self, card):
        return self.client.post(
            self.url("promotions", "/pos/v1/receipts"), json=self.receipt(card), headers=self.headers,
            name=ACCEPTANCE)


class Till(TillUser):
    @task
    def sale(self):
        self.sell(random.choice(MEMBERS)["card"])


class LentAccount(ClubUser):
    """A user that is a member."""

    abstract = True

    def on_start(self):
        # Before the first wait: a user that is stopped in it gives nothing back.
        self.account = None
        super().on_start()
        with LOCK:
            if FREE:
                self.account = FREE.pop()
        if self.account is None:
            # More users than members: the rest have nothing to do.
            self.stop()

    def on_stop(self):
        if self.account is not None:
            with LOCK:
                FREE.append(self.account)

    def get(self, service, path, name):
        with self.client.get(
            self.url(service, path), headers=self.account.headers, name=name, catch_response=True
        ) as answer:
            if answer.status_code == 401:
                answer.success()
                self.refresh()
            return answer

    def refresh(self):
        with self.client.post(
            self.url("auth", "/v1/tokens"), json={"refreshToken": self.account.member["refresh"]},
            name="member: tokens", catch_response=True,
        ) as answer:
            if answer.status_code != 200:
                answer.failure("the session of a member has ended: prepare the accounts anew")
                self.stop()
                return
            tokens = answer.json()
            self.account.member.update(access=tokens["accessToken"], refresh=tokens["refreshToken"])

    def balance(self, name="member: balance"):
        answer = self.get("ledger", "/v1/balance", name)
        return answer.json()["available"]["points"] if answer.status_code == 200 else None


class Cabinet(LentAccount):
    """A member who looks around in the cabinet."""

    wait_time = now_and_then(4)

    @task(10)
    def look_at_balance(self):
        self.balance()

    @task(4)
    def look_at_feed(self):
        self.get("ledger", "/v1/feed", "member: feed")

    @task(2)
    def look_at_lots(self):
        self.get("ledger", "/v1/lots", "member: lots")

    @task(2)
    def look_at_offers(self):
        self.get("promotions", "/v1/offers", "member: offers")

    @task(1)
    def look_at_coupons(self):
        self.get("promotions", "/v1/coupons", "member: coupons")

    @task(1)
    def look_at_profile(self):
        self.get("auth", "/v1/me", "member: profile")


class Watcher(TillUser, LentAccount):
    """Buys, and looks at the balance until the points are there: what a member with the phone in the hand feels."""

    wait_time = now_and_then(1)
    patience = 30

    @task
    def buy_and_watch(self):
        before = self.balance("watcher: balance")
        start = time.perf_counter()
        if before is None or self.sell(self.account.member["card"]).status_code != 201:
            return
        failure = None
        while (self.balance("watcher: balance") or 0) <= before:
            if time.perf_counter() - start > self.patience:
                failure = TimeoutError("the points did not come")
                break
            gevent.sleep(0.01)
        self.environment.events.request.fire(
            request_type="FLOW", name=VISIBLE, response_time=(time.perf_counter() - start) * 1000, response_length=0,
            exception=failure, context={})


class Redeemer(TillUser, LentAccount):
    """Pays a part with points: the code on the member's screen, the points set aside and taken, then the receipt."""

    wait_time = now_and_then(0.5)

    @task
    def pay_with_points(self):
        card = self.account.member["card"]
        shown = self.client.post(
            self.url("auth", "/v1/me/card/token"), name="redeemer: screen",
            headers={**self.account.headers, "Idempotency-Key": str(uuid.uuid4())})
        if shown.status_code == 401:
            self.refresh()
            return
        if shown.status_code != 201:
            return
        lines, total = basket()
        answer = self.authorise(shown.json()["token"], lines, total)
        if answer is None:
            self.sell(card)
            return
        captured = self.client.post(
            self.url("promotions", "/pos/v1/authorisations/%s/capture" % answer), json={}, headers=self.headers,
            name="redeemer: capture")
        if captured.status_code == 200:
            self.sell(card)

    def authorise(self, token, lines, total):
        body = {"cardToken": token, "store": SYSTEM["store"], "lines": lines, "total": total, "points": 5}
        with self.client.post(
            self.url("promotions", "/pos/v1/authorisations"), json=body, name="redeemer: authorise",
            headers={**self.headers, "Idempotency-Key": str(uuid.uuid4())}, catch_response=True,
        ) as answer:
            if answer.status_code == 409:
                # Not enough points yet: a right answer.
                answer.success()
                return None
            return answer.json()["authorisation"] if answer.status_code == 201 else None


def tills(rate):
    """How many tills make so many receipts a second."""
    return max(1, round(rate / 2))


def members(count):
    """Users that need a session of their own cannot be more than there are accounts."""
    return min(count, len(MEMBERS))


# Users of each scenario, by class. Watchers measure, so every scenario with tills has some.
WATCHERS = members(2)
SCENARIOS = {
    "tills": {Till: tills(RATE), Watcher: WATCHERS},
    "cabinet": {Cabinet: members(max(1, round(RATE / 4)))},
    "redemptions": {Redeemer: members(max(1, round(RATE / 2))), Watcher: WATCHERS},
    "mixed": {
        Till: tills(RATE * 0.6), Watcher: WATCHERS, Redeemer: members(max(1, round(RATE * 0.1))),
        Cabinet: members(max(1, round(RATE * 0.1))),
    },
}
# The rush has twice the load of the day at its height; the end of the month has the ledger's nightly work beside it.
SCENARIOS["evening"] = SCENARIOS["month-end"] = SCENARIOS["mixed"]



def choose():
    """The users of this run. A function, because Locust takes every class that a name of the file means for one more."""
    for user in (Till, Watcher, Redeemer, Cabinet):
        user.abstract = user not in SCENARIOS[SCENARIO]
        user.fixed_count = SCENARIOS[SCENARIO].get(user, 0)
    if SCENARIO == "evening":
        # More tills come as the shape says; whoever watches stays.
        Till.fixed_count = 0


choose()


class Day(LoadTestShape):
    """Ramp, plateau, end; in the evening the plateau is a slope up and a slope down."""

    abstract = SCENARIO != "evening"

    def tick(self):
        elapsed, length = self.get_run_time(), MINUTES * 60
        if elapsed > length:
            return None
        most = sum(SCENARIOS[SCENARIO].values()) + tills(RATE)
        share = 1 - abs(2 * elapsed / length - 1)
        return max(1, round(most * (0.3 + 0.7 * share))), max(1, most / 10)


@events.test_stop.add_listener
def keep_sessions(environment, **_):
    """Tokens that were exchanged are worth something to the next run, the old ones nothing."""
    try:
        with open(ACCOUNTS, "w", encoding="utf-8") as file:
            json.dump(SYSTEM, file)
    except OSError as error:
        print("The accounts could not be kept:", error)


@events.quitting.add_listener
def judge(environment, **_):
    broken = []
    total = environment.stats.total
    if total.num_requests == 0:
        broken.append("nothing was asked")
    elif total.fail_ratio > FAILURES_MAX:
        broken.append("%.3f %% of the requests failed, and %.3f %% may" % (
            100 * total.fail_ratio, 100 * FAILURES_MAX))
    for name, limit in THRESHOLDS.items():
        for entry in environment.stats.entries.values():
            if entry.name != name or entry.num_requests == 0:
                continue
            p99 = entry.get_response_time_percentile(0.99)
            print("%s: p50 %.0f ms, p99 %.0f ms (limit %.0f), %.1f/s" % (
                name, entry.get_response_time_percentile(0.5), p99, limit, entry.total_rps))
            if p99 > limit:
                broken.append("p99 of '%s' is %.0f ms, and %.0f are allowed" % (name, p99, limit))
    if SCENARIO != "cabinet" and not any(entry.name == VISIBLE for entry in environment.stats.entries.values()):
        broken.append("nobody saw points arrive")
    for line in broken:
        print("NOT HELD:", line)
    print("%d requests, %d failures: %s" % (
        total.num_requests, total.num_failures, "not held" if broken else "held"))
    if broken:
        environment.process_exit_code = 1
