import Kernel
import TestSupport
import Testing

@testable import Postgres

/// Each way out of a wait: result, error, connection lost, cancel, shutdown. None may leave a caller waiting for ever.
@Suite(.database(), .timeLimit(.minutes(20))) struct ExitTests {
    // MARK: Connection lost

    @Test func `a session that the server ends in the middle of a statement is reported and replaced`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let backend = try await pool.backend()
            async let ended = databaseError { try await pool.execute("select pg_sleep(601)") }
            let owner = try TestDatabase.current.owner
            try await owner.waitUntilRuns("pg_sleep(601)")
            try await owner.terminate(like: "pg_sleep(601)")
            let error = try await ended
            #expect(error.code == .connectionLost && error.sqlState == "57P01" && error.isRetryable)
            #expect(try await pool.backend() != backend)
        }
    }

    @Test func `everything that is queued on a lost connection is answered`() async throws {
        let owner = try TestDatabase.current.owner
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let codes = try await pool.withConnection { connection in
                try await withThrowingTaskGroup(of: DatabaseError.Code.self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            try await databaseError { try await connection.execute("select pg_sleep(602), \(number)") }
                                .code
                        }
                    }
                    try await owner.waitUntilRuns("pg_sleep(602)")
                    try await owner.terminate(like: "pg_sleep(602)")
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            #expect(codes.count == 50 && codes.allSatisfy { $0 == .connectionLost })
        }
    }

    @Test(.capturedLogs) func `an idle session that the server ended is not lent again`() async throws {
        let owner = try TestDatabase.current.owner
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let backend = try await pool.backend()
            try await owner.execute("select pg_terminate_backend(\(backend)::int)")
            try await eventually("the end is noticed while nobody uses the session") {
                CapturedLogs.text.contains("Connection closed")
            }
            #expect(try await pool.backend() != backend)
        }
    }

    @Test func `a transaction left alone too long says why it was ended`() async throws {
        try await withDatabase {
            $0.pool.size = 1
            $0.idleInTransactionTimeout = .milliseconds(50)
        } _: { pool in
            let error = try await databaseError {
                try await pool.transaction { transaction in
                    try await transaction.execute("select 1")
                    try await eventually("the server has ended the session") {
                        transaction.connection.condition.value == .lost
                    }
                    try await transaction.execute("select 2")
                }
            }
            #expect(error.code == .idleInTransactionTimeout && error.sqlState == "25P03")
            _ = try await pool.backend()
        }
    }

    @Test func `a host that falls silent in the middle of a statement is given up`() async throws {
        let proxy = try SilentProxy(to: try TestDatabase.current.cluster.conninfo)
        defer { proxy.stop() }
        try await withDatabase {
            $0.conninfo += " host=\(proxy.folder) port=5432"
            $0.pool.size = 1
            $0.statementTimeout = .milliseconds(300)
            $0.answerGrace = .milliseconds(200)
        } _: { pool in
            _ = try await pool.backend()
            proxy.fallSilent()
            let error = try await databaseError { try await pool.execute("select 1") }
            #expect(error.code == .connectionLost && "\(error)".contains("no answer in time"))
        }
    }

    @Test func `a host that falls silent before it has let us in is given up`() async throws {
        let proxy = try SilentProxy(to: try TestDatabase.current.cluster.conninfo)
        defer { proxy.stop() }
        proxy.fallSilent()
        let error = try await databaseError {
            try await withDatabase {
                $0.conninfo += " host=\(proxy.folder) port=5432"
                $0.connectTimeout = .milliseconds(200)
            } _: {
                _ = try await $0.backend()
            }
        }
        #expect(error.code == .cannotConnect)
    }

    @Test func `a server that is not there is reported at once, to everybody`() async throws {
        try await withDatabase {
            $0.conninfo = "host=/nowhere port=1"
            $0.pool.size = 2
        } _: { pool in
            await withTaskGroup(of: DatabaseError.Code?.self) { group in
                for _ in 0..<20 { group.addTask { try? await databaseError { _ = try await pool.backend() }.code } }
                for await code in group { #expect(code == .cannotConnect) }
            }
        }
    }

    @Test func `a connection string that cannot be read is reported by the first use`() async throws {
        let error = try await databaseError {
            try await withDatabase {
                $0.conninfo = "hosst=a"
            } _: {
                _ = try await $0.backend()
            }
        }
        #expect(error.code == .invalidConfiguration)
    }

    // MARK: Cancel

    @Test func `a cancelled statement ends on the server and its session is at rest`() async throws {
        let owner = try TestDatabase.current.owner
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let backend = try await pool.backend()
            let task = Task { try await pool.execute("select pg_sleep(603)") }
            try await owner.waitUntilRuns("pg_sleep(603)")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // No stray cancel may hit the statements that come after.
            for number in 0..<50 { #expect(try await pool.one("select \(number)").decode(Int.self) == number) }
            #expect(try await pool.backend() == backend)
            let running = try await owner.one(
                "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep(603)%'")
            #expect(try running.decode(Int.self) == 0)
        }
    }

    @Test func `a statement that is cancelled while it waits in line never runs`() async throws {
        let owner = try TestDatabase.current.owner
        try await owner.execute("create table t (id int)")
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            try await pool.withConnection { connection in
                let first = Task { try await connection.execute("select pg_sleep(604)") }
                try await owner.waitUntilRuns("pg_sleep(604)")
                let second = Task { try await connection.execute("insert into t values (1)") }
                second.cancel()
                await #expect(throws: CancellationError.self) { try await second.value }
                first.cancel()
                _ = await first.result
                #expect(try await connection.one("select count(*) from t").decode(Int.self) == 0)
            }
        }
    }

    @Test func `a task that is cancelled already asks nothing of the server`() async throws {
        let pool = try TestDatabase.current.owner
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await pool.execute("select 1")
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func `a cancelled pipeline is undone and its session is at rest`() async throws {
        let owner = try TestDatabase.current.owner
        try await owner.execute("create table t (id int)")
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let task = Task {
                try await pool.pipeline(["insert into t values (1)", "select pg_sleep(605)", "select 1"])
            }
            try await owner.waitUntilRuns("pg_sleep(605)")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.one("select count(*) from t").decode(Int.self) == 0)
        }
    }

    @Test func `a cancelled statement of a silent host is given up with its session`() async throws {
        let proxy = try SilentProxy(to: try TestDatabase.current.cluster.conninfo)
        defer { proxy.stop() }
        try await withDatabase {
            $0.conninfo += " host=\(proxy.folder) port=5432"
            $0.pool.size = 1
        } _: { pool in
            let owner = try TestDatabase.current.owner
            let task = Task { try await pool.execute("select pg_sleep(606)") }
            try await owner.waitUntilRuns("pg_sleep(606)")
            proxy.fallSilent()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await owner.terminate(like: "pg_sleep(606)")
        }
    }

    @Test func `any mixture of statements and cancels leaves a pool that works`() async throws {
        try await withDatabase {
            $0.pool.size = 3
            $0.pool.waitTimeout = .seconds(60)
        } _: { pool in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<150 {
                    group.addTask {
                        let task = Task {
                            try await pool.transaction { transaction in
                                try await transaction.execute("select pg_sleep(\(Double(number % 7) / 2000))")
                                return try await transaction.one("select \(number)").decode(Int.self)
                            }
                        }
                        if number % 2 == 0 {
                            for _ in 0..<number { await Task.yield() }
                            task.cancel()
                        }
                        switch await task.result {
                        case .success(let answer): #expect(answer == number)
                        // A cancel that was meant for one must not hit the next on its connection.
                        case .failure(let error): #expect(number % 2 == 0, "\(error)")
                        }
                    }
                }
            }
            for number in 0..<20 {
                let answer = try await pool.one("select \(number)").decode(Int.self)
                #expect(answer == number)
            }
        }
    }

    // MARK: Waiting for the pool

    @Test func `a hundred waiters are answered by a stop, and the one who holds a connection ends in peace`()
        async throws
    {
        let owner = try TestDatabase.current.owner
        let current = try TestDatabase.current
        var configuration = current.configuration(pool: PoolLimits(size: 1, waitTimeout: .seconds(100)))
        configuration.applicationName = "stopped"
        let pool = Database(configuration, reactor: current.reactor, logger: CapturedLogs.logger)
        let (holds, mayEnd) = (Signal<Void>(), Signal<Void>())
        async let holder: Int = pool.withConnection { connection in
            holds.send()
            try await mayEnd.next()
            return try await connection.one("select 42").decode(Int.self)
        }
        try await holds.next()
        let codes = try await withThrowingTaskGroup(of: DatabaseError.Code.self) { group in
            for _ in 0..<100 {
                group.addTask { try await databaseError { _ = try await pool.backend() }.code }
            }
            try await eventually("a hundred wait") { pool.waitingCount == 100 }
            group.addTask {
                await pool.shutdown()
                return .poolClosed
            }
            var codes: [DatabaseError.Code] = []
            for _ in 0..<100 { codes.append(try #require(try await group.next())) }
            mayEnd.send()
            _ = try await group.next()
            return codes
        }
        #expect(codes.count == 100 && codes.allSatisfy { $0 == .poolClosed })
        #expect(try await holder == 42)
        try await eventually("its session is closed") {
            try await owner.one("select count(*) from pg_stat_activity where application_name = 'stopped'")
                .decode(Int.self) == 0
        }
        #expect(try await databaseError { _ = try await pool.backend() }.code == .poolClosed)
    }

    @Test func `who waits too long is told so`() async throws {
        try await withDatabase {
            $0.pool = PoolLimits(size: 1, waiting: 1, waitTimeout: .milliseconds(100))
        } _: { pool in
            try await pool.withConnection { _ in
                let error = try await databaseError { _ = try await pool.backend() }
                #expect(error.code == .poolTimeout && pool.waitingCount == 0)
            }
        }
    }

    @Test func `who is one too many is told so at once`() async throws {
        try await withDatabase {
            $0.pool = PoolLimits(size: 1, waiting: 1, waitTimeout: .seconds(3600))
        } _: { pool in
            let waiter = try await pool.withConnection { _ in
                let waiter = Task { try await pool.backend() }
                try await eventually("somebody waits") { pool.waitingCount == 1 }
                #expect(try await databaseError { _ = try await pool.backend() }.code == .poolExhausted)
                return waiter
            }
            // And whoever waited gets it.
            _ = try await waiter.value
        }
    }

    @Test func `a cancelled waiter leaves, long before its time is over`() async throws {
        try await withDatabase {
            $0.pool = PoolLimits(size: 1, waiting: 1, waitTimeout: .seconds(3600))
        } _: { pool in
            try await pool.withConnection { _ in
                let waiter = Task { try await pool.backend() }
                try await eventually("somebody waits") { pool.waitingCount == 1 }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
                #expect(pool.waitingCount == 0)
            }
        }
    }

    @Test func `connections nobody wants are closed`() async throws {
        let owner = try TestDatabase.current.owner
        try await withDatabase {
            $0.pool.idleTimeout = .milliseconds(50)
            $0.applicationName = "resting"
        } _: { pool in
            _ = try await pool.backend()
            try await eventually("the idle session is closed") {
                try await owner.one("select count(*) from pg_stat_activity where application_name = 'resting'")
                    .decode(Int.self) == 0
            }
            _ = try await pool.backend()
        }
    }

    @Test func `a connection that comes back in a transaction is not lent again`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let backend = try await pool.backend()
            try await pool.execute("begin")
            #expect(try await pool.backend() != backend)
        }
    }
}
