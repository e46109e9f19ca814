import FoundationEssentials
import JobQueue
import Postgres
import TestSupport
import Testing

/// Random histories on PostgreSQL and on the model in lock-step: after every step both say the same of every job, every
/// claim and every key, and `queue.check()` finds nothing.
///
/// `CLUB_MODEL_STEPS` makes the histories longer, `CLUB_MODEL_RUNS` makes more of them, `CLUB_MODEL_SEED` repeats one.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct ModelTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    static let steps = Int(Self.number("CLUB_MODEL_STEPS") ?? 200)
    static let seeds: [UInt64] =
        Self.number("CLUB_MODEL_SEED").map { [$0] } ?? Array(1...(Self.number("CLUB_MODEL_RUNS") ?? 3))

    @Test(arguments: Self.seeds)
    func `the bus does what the model does`(seed: UInt64) async throws {
        let disagreement = try await Lockstep(seed: seed, steps: Self.steps).run(in: World.make())
        #expect(disagreement == nil, "\(disagreement?.description ?? "")")
    }

    @Test(arguments: SQLMutation.all)
    func `the check sees a bus that was broken on purpose`(_ mutation: SQLMutation) async throws {
        let world = try await World.make()
        try await mutation.apply(in: world)
        let disagreement = try await Lockstep(seed: 1, steps: 600).run(in: world)
        #expect(disagreement != nil, "600 steps did not show it")
    }
}

/// A function of the schema with a piece of its text replaced.
struct SQLMutation: Sendable, CustomTestStringConvertible {
    let name: String
    let function: String
    let text: String
    let replacement: String

    var testDescription: String { self.name }

    static let all: [SQLMutation] = [
        SQLMutation(
            name: "the gate lets one too many in", function: "pass_gates", text: "g.running + a.nth > p_key_limit as",
            replacement: "g.running + a.nth > p_key_limit + 1 as"),
        SQLMutation(
            name: "complete asks nobody for the claim", function: "complete",
            text: "l.id = p_id and l.attempt = p_attempt and l.worker_id = p_worker", replacement: "l.id = p_id"),
        SQLMutation(
            name: "a slot is emptied that is not empty", function: "sweep_slot", text: "if v_is_busy then",
            replacement: "if false then"),
        SQLMutation(
            name: "a completed job keeps the place of its key", function: "complete",
            text: "if v_lease.aseq is not null then", replacement: "if false then"),
        SQLMutation(
            name: "a batch keeps the places of its keys", function: "finish",
            text: "perform queue.release_taken(p_queue, p_ids, p_aseqs);", replacement: ""),
        SQLMutation(
            name: "a killed worker is not counted", function: "lose", text: "v_losses >= v_queue.losses_max",
            replacement: "v_losses > 1000"),
        SQLMutation(
            name: "a lost attempt is not counted", function: "lose", text: "array[p_lease.attempt]",
            replacement: "array[(p_lease.attempt - 1)::smallint]"),
        SQLMutation(
            name: "a due job is promoted twice", function: "promote",
            text: "perform queue.note(v.queue_id, 7, -v.n);",
            replacement: """
                perform queue.place(v.queue_id, v.ids, v.priorities, v.attempts, v.keys, v.aseqs);
                perform queue.note(v.queue_id, 7, -v.n);
                """),
        SQLMutation(
            name: "a retry loses the place of its key", function: "fail", text: "v_lease.key, v_lease.aseq",
            replacement: "v_lease.key, null"),
    ]

    func apply(in world: World) async throws {
        let source: String = try await world.owner.one(
            """
            select pg_get_functiondef(oid) from pg_proc
            where pronamespace = 'queue'::regnamespace and proname = \(self.function)
            """
        ).value(at: 0)
        try #require(source.contains(self.text), "\(self.function) does not say: \(self.text)")
        // Statements are literals; this one is made of the function's own text.
        try await world.owner.execute(
            "create function public.run(p_text text) returns void language plpgsql as 'begin execute p_text; end'")
        try await world.owner.execute("select public.run(\(source.replacing(self.text, with: self.replacement)))")
    }
}
