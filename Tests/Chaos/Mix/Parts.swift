import JobQueue
import Kernel
import Postgres

/// A step of an account: in order, one at a time, effects exactly once.
struct KeyedStep: Command {
    static let name = "chaos.step"
    static let queue: QueueName = "chaos.steps"
    let account: Int
    let number: Int64
    var orderingKey: String? { "account \(self.account)" }
}

/// A job without order, one at a time.
struct SingleJob: Command {
    static let name = "chaos.single"
    static let queue: QueueName = "chaos.singles"
    let number: Int64
}

/// A job that is done in batches.
struct BatchJob: Command {
    static let name = "chaos.batch"
    static let queue: QueueName = "chaos.batches"
    let number: Int64
}

/// Sent by the handler of a single job: exists if and only if that one committed.
struct FollowUp: Command {
    static let name = "chaos.follow-up"
    static let queue: QueueName = "chaos.follow-ups"
    let cause: Int64
}

/// The queues, with retries that do not end: nothing may die of bad luck.
enum Queues {
    static let service: ServiceName = "chaos"

    private static let backoff = Backoff(base: .milliseconds(50), factor: 2, cap: .seconds(2), jitter: 0.5)

    static let all = [
        QueueDeclaration(
            KeyedStep.queue, attemptsMax: 10_000, lossesMax: 1000, backoff: Self.backoff, onDead: .block,
            order: .byKey(atATime: 1)),
        QueueDeclaration(SingleJob.queue, attemptsMax: 10_000, lossesMax: 1000, backoff: Self.backoff),
        QueueDeclaration(BatchJob.queue, attemptsMax: 10_000, lossesMax: 1000, backoff: Self.backoff, slots: 2),
        QueueDeclaration(FollowUp.queue, attemptsMax: 10_000, lossesMax: 1000, backoff: Self.backoff),
    ]
}

/// What was meant to happen and what happened. No constraint keeps anything from happening twice: it is to be seen.
enum Books {
    static let schema: [SQL] = [
        "create table public.account (id int primary key, number bigint not null)",
        "insert into public.account select n, 0 from generate_series(1, 20) n",
        "create table public.sent (job bigint not null, queue text not null, key text, number bigint not null)",
        """
        create table public.effect (
            job bigint not null, queue text not null, key text, number bigint not null,
            nth bigint generated always as identity, at timestamptz not null default clock_timestamp()
        )
        """,
        "create index on public.effect (job)",
        """
        do $$
        begin
            create role club_chaos login;
        exception when duplicate_object then
            null;
        end $$
        """,
        "grant club_bus to club_chaos",
        "grant all on public.account, public.sent, public.effect to club_chaos",
    ]

    static func sent(_ job: JobID, _ queue: QueueName, key: String? = nil, _ number: Int64) -> SQL {
        "insert into public.sent (job, queue, key, number) values (\(job.raw), \(queue), \(key), \(number))"
    }

    static func effect(_ job: JobID, _ queue: QueueName, key: String? = nil, _ number: Int64) -> SQL {
        "insert into public.effect (job, queue, key, number) values (\(job.raw), \(queue), \(key), \(number))"
    }
}
