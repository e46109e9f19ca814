import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// What goes through an encrypted queue is ciphertext to the database and to everybody who reads it.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct EncryptionTests {
    static let phone = "+79161234567"
    static let queues = [Letter.queue, Whisper.queue, "alpha.ears"].map { QueueDeclaration($0, isEncrypted: true) }

    /// The declarations stand once a worker has run.
    private func declare(_ world: World, _ queues: [QueueDeclaration] = queues) async throws {
        try await world.bus("alpha", keyring: .of("old")).running(
            queues: queues, handlers: [.transactional(Rumour.self, on: "alpha.ears") { _, _, _ in }]
        ) {
            try await eventually("the queues are declared") {
                let count = try await world.count("select count(*) from queue.queue where declared_at is not null")
                let subscribed = try await world.count("select count(*) from queue.subscription")
                return count >= queues.count && subscribed == 1
            }
        }
    }

    private func codes(_ world: World) async throws -> [String] {
        try await world.owner.query("select error ->> 'code' from queue.outcome where state = 4 order by id").map {
            try $0.decode(String.self)
        }
    }

    @Test func `a phone is nowhere in the database, neither waiting nor done, and the handlers read it`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let beta = try world.bus("beta", keyring: .of("old"))
        let alpha = try world.bus("alpha", keyring: .of("old"))
        try await beta.running {
            _ = try await beta.send(Letter(phone: Self.phone))
            _ = try await beta.send(Letter(phone: Self.phone), SendOptions(unique: .once("one")))
            _ = try await beta.send(contentsOf: [Letter(phone: Self.phone), Letter(phone: Self.phone)])
            try await beta.publish(Rumour(phone: Self.phone))
            let call = Task { try await beta.bus.call(Whisper(phone: Self.phone), deadline: .seconds(600)) }
            try await eventually("all is sent") { try await world.count("select count(*) from queue.ready") == 6 }
            // The answer to a call that was given up stays where it is.
            call.cancel()
            #expect(try await !world.dump().contains("9161234567"))
            try await alpha.running(queues: Self.queues, handlers: Self.handlers) {
                try await eventually("all is done") { try await world.isDone(effects: 6) }
                #expect(try await world.count("select count(*) from queue.reply where body ? 'c'") == 1)
                #expect(try await !world.dump().contains("9161234567"))
                let heard = try await beta.bus.call(Whisper(phone: Self.phone), deadline: .seconds(30))
                #expect(heard.phone == Self.phone)
            }
            #expect(try await world.count("select count(*) from queue.outcome where result is not null") == 4)
            #expect(try await !world.dump().contains("9161234567"))
        }
        // The dump sees what is there to be seen.
        _ = try await beta.send(Postcard(phone: Self.phone))
        #expect(try await world.dump().contains("9161234567"))
        #expect(try await world.violations() == [])
    }

    private static let handlers: [Handler] = [
        .transactional(Letter.self) { letter, job, transaction in
            #expect(letter.phone == Self.phone)
            try job.keep(letter.phone)
            try await note(job, in: transaction)
        },
        .transactional(Rumour.self, on: "alpha.ears") { rumour, job, transaction in
            #expect(rumour.phone == Self.phone)
            try await note(job, in: transaction)
        },
        .reply(Whisper.self) { whisper, job, transaction in
            try await note(job, in: transaction)
            return Whisper.Reply(phone: whisper.phone)
        },
    ]

    @Test func `what was changed, or put under another kind, is refused for good; the rest is read`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = try world.bus("alpha", keyring: .of("old"))
        let ids = try await alpha.send(contentsOf: (0..<4).map { _ in Letter(phone: Self.phone) }).map(\.raw)
        try await world.owner.execute(
            """
            update queue.job set args = jsonb_set(args, '{c}', to_jsonb(translate(args ->> 'c', 'ABCab', 'BCDba')))
            where id = \(ids[0])
            """)
        try await world.owner.execute("update queue.job set kind = 'alpha.note' where id = \(ids[1])")
        try await world.owner.execute(
            "update queue.job set args = jsonb_set(args, '{k}', to_jsonb('other'::text)) where id = \(ids[2])")
        try await alpha.running(
            queues: Self.queues,
            handlers: [
                .transactional(Letter.self) { _, job, transaction in try await note(job, in: transaction) },
                .transactional(Note.self) { _, job, transaction in try await note(job, in: transaction) },
            ]
        ) {
            try await eventually("all have ended") { try await world.isDone(effects: 1) }
        }
        #expect(try await self.codes(world) == ["unreadable-message", "unreadable-message", "unreadable-message"])
        #expect(try await world.count("select job from public.effect") == Int(ids[3]))
    }

    @Test func `after a change of the key old jobs open with the old one, and new ones are sealed with the new one`()
        async throws
    {
        let world = try await World.make()
        try await self.declare(world)
        let before = try world.bus("alpha", keyring: .of("old"))
        let between = try world.bus("alpha", keyring: .of("new", "old"))
        _ = try await before.send(Letter(phone: Self.phone))
        _ = try await between.send(Letter(phone: Self.phone))
        let keys = try await world.owner.query("select args ->> 'k' from queue.job order by id").map {
            try $0.decode(String.self)
        }
        #expect(keys == ["old", "new"])
        let run = { @Sendable (station: Station, effects: Int) in
            try await station.running(queues: Self.queues, handlers: Self.handlers) {
                try await eventually("all have ended") { try await world.isDone(effects: effects) }
            }
        }
        try await run(between, 2)
        // Once the old key is taken away what it sealed is lost.
        _ = try await before.send(Letter(phone: Self.phone))
        _ = try await between.send(Letter(phone: Self.phone))
        try await run(world.bus("alpha", keyring: .of("new")), 3)
        #expect(try await self.codes(world) == ["unreadable-message"])
        #expect(try await world.violations() == [])
    }

    @Test func `without a key nothing is sent, in no way of sending`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let beta = world.bus("beta")
        let missing = EncryptionError.keyMissing(Letter.queue)
        #expect(missing.code == "encryption-key-missing")
        await #expect(throws: missing) { try await beta.send(Letter(phone: Self.phone)) }
        await #expect(throws: missing) { try await beta.send(contentsOf: [Letter(phone: Self.phone)]) }
        await #expect(throws: missing) {
            try await beta.send(Letter(phone: Self.phone), SendOptions(unique: .once("one")))
        }
        await #expect(throws: EncryptionError.keyMissing("alpha.ears")) {
            try await beta.publish(Rumour(phone: Self.phone))
        }
        let id = try await beta.bus.makeJobID()
        await #expect(throws: missing) {
            try await beta.database.transaction {
                try await beta.bus.send(Letter(phone: Self.phone), id: id, in: $0)
            }
        }
        try await beta.running {
            await #expect(throws: EncryptionError.keyMissing(Whisper.queue)) {
                try await beta.bus.call(Whisper(phone: Self.phone), deadline: .seconds(30))
            }
        }
        #expect(try await world.count("select count(*) from queue.job") == 0)
    }

    @Test(arguments: [
        "queue.send(%, 'k', 1::smallint, '{\"phone\": 1}')",
        "queue.send(%, 'k', 1::smallint, '{\"c\": \"\", \"k\": \"\", \"n\": \"\", \"phone\": 1}')",
        "queue.send_many(%, 'k', 1::smallint, array['{\"c\": \"\", \"k\": \"\", \"n\": \"\"}', '{}']::jsonb[])",
        """
        queue.send_unique(%, 'k', 1::smallint, '{}', null, 2::smallint, null, null, null, null, 'one', null, 'ignore')
        """,
        """
        queue.send_unique(%, 'k', 1::smallint, '{}', null, 2::smallint, null, null, null, null, 'there', null, 'replace')
        """,
        "queue.resend(%, 'k', 1::smallint, '{}', null, 2::smallint, null, null, null, queue.new_id(), null)",
        "queue.publish('alpha.rumour', 1::smallint, array['{}']::jsonb[])",
        "queue.call(%, 'k', 1::smallint, '{}', null, 1, 1::smallint, 1000)",
    ])
    func `the database itself refuses what is not sealed`(call: String) async throws {
        let world = try await World.make()
        try await self.declare(world)
        let queue = "(select id from queue.resolve(array['alpha.letters']))"
        let text = call.replacing("%", with: queue)
        // One that waits, whose arguments could be replaced.
        try await world.owner.execute(
            """
            select from queue.resolve(array['alpha.letters']) q, queue.send_unique(
                q.id, 'k', 1::smallint, '{"c": "", "k": "", "n": ""}', null, 2::smallint, null, null, null, null, 'there',
                null, 'ignore')
            """)
        try await world.owner.execute(
            """
            create function public.try_it(p_text text) returns text language plpgsql as $$
            begin
                execute 'select ' || p_text;
                return 'sent';
            exception when sqlstate 'QL009' then
                return 'refused';
            end $$
            """)
        #expect(try await world.owner.one("select public.try_it(\(text))").decode(String.self) == "refused")
    }

    @Test func `an event reaches each queue once, whatever becomes of its encryption while it is sent`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        try await world.owner.execute(
            """
            insert into queue.subscription (queue_id, event)
            select id, 'alpha.rumour' from queue.resolve(array['alpha.plain'])
            """)
        let beta = world.database("beta")
        try await beta.transaction { transaction in
            let leftOut = try await transaction.query(
                """
                select queue_id from queue.publish(
                    'alpha.rumour', 1::smallint, array['{"phone": "1"}']::jsonb[], p_leaves_out => true)
                where is_left_out
                """
            ).map { try $0.decode(Int16.self) }
            #expect(leftOut.count == 1)
            // Somebody declares the one to be plain and the other to be encrypted.
            try await world.owner.execute(
                "update queue.queue set is_encrypted = not is_encrypted where name <> 'alpha.letters'")
            try await transaction.execute(
                """
                select from queue.publish(
                    'alpha.rumour', 1::smallint, array['{"c": "", "k": "", "n": ""}']::jsonb[],
                    p_queues => \(leftOut))
                """)
        }
        let got = try await world.owner.query(
            "select q.name from queue.job j join queue.queue q on q.id = j.queue_id order by 1"
        ).map { try $0.decode(String.self) }
        #expect(got == ["alpha.ears", "alpha.plain"])
    }

    @Test func `a periodic job of an encrypted queue is refused; of a queue that was encrypted later, paused`()
        async throws
    {
        let world = try await World.make()
        let owner = world.owner
        let jobs = { (queue: String) in
            """
            [{"name": "alpha.chime", "queue": "\(queue)", "kind": "k", "version": 1, "args": {"phone": 1}, \
            "schedule": {"every": 60, "anchor": 0}, "schedule_text": "every minute", "time_zone": "UTC", \
            "catch_up": "one", "catch_up_max": 1}]
            """
        }
        try await self.declare(world)
        let refused = await #expect(throws: DatabaseError.self) {
            try await owner.execute("select queue.declare_periodic('alpha', \(jobs("alpha.letters"))::text::jsonb)")
        }
        #expect(refused?.sqlState == "QL009")
        try await owner.execute("select queue.declare_periodic('alpha', \(jobs("alpha.bells"))::text::jsonb)")
        try await owner.execute("update queue.queue set is_encrypted = true where name = 'alpha.bells'")
        try await owner.execute(
            """
            select from queue.fire_periodic(
                'alpha', array['alpha.chime'], 10, clock_timestamp() + interval '2 minutes')
            """)
        let now = await #expect(throws: DatabaseError.self) {
            try await owner.execute("select from queue.run_periodic('alpha.chime', 'by hand')")
        }
        #expect(now?.sqlState == "QL009")
        #expect(try await world.count("select count(*) from queue.job") == 0)
        #expect(try await world.count("select count(*) from queue.periodic where paused_at is not null") == 1)
        let reason = try await owner.one("select reason from queue.audit where action = 'pause'").decode(String.self)
        #expect(reason.contains("encrypted"))
    }

    @Test func `what is confidential is sealed before its queue has been declared, and for every subscriber`()
        async throws
    {
        let world = try await World.make()
        let (alpha, beta) = (try world.bus("alpha", keyring: .of("old")), try world.bus("beta", keyring: .of("old")))
        let keyless = world.bus("beta")
        await #expect(throws: EncryptionError.keyMissing(Secretly.queue)) {
            try await keyless.send(Secretly(phone: Self.phone))
        }
        await #expect(throws: EncryptionError.eventKeyMissing(Hushed.name)) {
            try await keyless.publish(Hushed(phone: Self.phone))
        }
        _ = try await beta.send(Secretly(phone: Self.phone))
        let handlers: [Handler] = [
            .transactional(Secretly.self) { message, job, transaction in
                #expect(message.phone == Self.phone)
                try await note(job, in: transaction)
            },
            .transactional(Hushed.self, on: "alpha.ears") { event, job, transaction in
                #expect(event.phone == Self.phone)
                try await note(job, in: transaction)
            },
            .transactional(Hushed.self, on: "alpha.plain") { event, job, transaction in
                #expect(event.phone == Self.phone)
                try await note(job, in: transaction)
            },
        ]
        try await alpha.running(queues: [QueueDeclaration("alpha.ears", isEncrypted: true)], handlers: handlers) {
            try await eventually("both queues are subscribed") {
                try await world.count("select count(*) from queue.subscription") == 2
            }
            try await beta.publish(Hushed(phone: Self.phone))
            try await eventually("all are done") { try await world.isDone(effects: 3) }
        }
        #expect(try await world.count("select count(*) from queue.job") == 3)
        #expect(try await !world.dump().contains("9161234567"))
    }

    @Test func `a sender that does not know yet is refused; what it sent before is still read`() async throws {
        let world = try await World.make()
        let beta = try world.bus("beta", keyring: .of("old"))
        _ = try await beta.send(Letter(phone: Self.phone))
        try await self.declare(world)
        let error = await #expect(throws: DatabaseError.self) { try await beta.send(Letter(phone: Self.phone)) }
        #expect(error?.sqlState == "QL009")
        // What is a transaction of its own is sent again, sealed; from then on the sender knows.
        _ = try await beta.bus.send(Letter(phone: Self.phone))
        _ = try await beta.send(Letter(phone: Self.phone))
        let alpha = try world.bus("alpha", keyring: .of("old"))
        try await alpha.running(queues: Self.queues, handlers: Self.handlers) {
            try await eventually("all are done") { try await world.isDone(effects: 3) }
        }
        #expect(try await world.count("select count(*) from queue.job where args ? 'c'") == 2)
        #expect(try await world.count("select count(*) from queue.job") == 3)
    }
}

extension Keyring {
    /// Keys of these names, the newest first; the same name is the same key.
    static func of(_ names: String...) throws -> Keyring {
        try Keyring(names.map { ($0, Secret($0 + String(repeating: "-", count: 32))) })
    }
}

struct Letter: Command {
    static let name = "alpha.letter"
    static let queue: QueueName = "alpha.letters"
    var phone: String
}

/// The same fields, another kind.
struct Note: Command {
    static let name = "alpha.note"
    static let queue: QueueName = "alpha.letters"
    var phone: String
}

struct Postcard: Command {
    static let name = "alpha.postcard"
    static let queue: QueueName = "alpha.postcards"
    var phone: String
}

/// Sealed wherever it goes.
struct Secretly: Command {
    static let name = "alpha.secretly"
    static let queue: QueueName = "alpha.secrets"
    static let isConfidential = true
    var phone: String
}

/// Sealed for every subscriber.
struct Hushed: Event {
    static let name = "alpha.hushed"
    static let isConfidential = true
    var phone: String
}

struct Rumour: Event {
    static let name = "alpha.rumour"
    var phone: String
}

struct Whisper: Call {
    static let name = "alpha.whisper"
    static let queue: QueueName = "alpha.whispers"
    var phone: String
    struct Reply: Codable, Sendable { var phone: String }
}
