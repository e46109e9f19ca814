import EmbeddedPostgres
import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.database(), .timeLimit(.minutes(20))) struct MultiHostTests {
    /// The server of the tests behind a socket of its own, so that it has two addresses.
    private func withProxy(_ body: (SilentProxy) async throws -> Void) async throws {
        let proxy = try SilentProxy(to: try TestDatabase.current.cluster.conninfo)
        let failed = await failure { try await body(proxy) }
        proxy.stop()
        if let failed { throw failed }
    }

    @Test func `a host that is not there is passed over`() async throws {
        try await self.withProxy { proxy in
            try await withDatabase {
                $0.conninfo += " host=/nowhere,\(proxy.folder) port=1,5432"
            } _: {
                _ = try await $0.backend()
            }
        }
    }

    @Test func `a host that does not answer is passed over in time`() async throws {
        try await self.withProxy { silent in
            silent.fallSilent()
            try await self.withProxy { proxy in
                try await withDatabase {
                    $0.conninfo += " host=\(silent.folder),\(proxy.folder) port=5432,5432"
                    $0.connectTimeout = .milliseconds(300)
                } _: {
                    _ = try await $0.backend()
                }
            }
        }
    }

    @Test func `the host that takes writes is found behind one that does not`() async throws {
        let current = try TestDatabase.current
        // What a standby says of itself: no writes. A role that is read-only by default says the same, on one server.
        try await current.owner.execute("create role \(identifier: "reader_" + current.name) login superuser")
        try await current.owner.execute(
            "alter role \(identifier: "reader_" + current.name) set default_transaction_read_only = on")
        try await self.withProxy { proxy in
            let refused = try await databaseError {
                try await withDatabase {
                    $0.conninfo += " host=\(proxy.folder) port=5432 target_session_attrs=read-write"
                    $0.user = "reader_" + current.name
                } _: {
                    _ = try await $0.backend()
                }
            }
            #expect(refused.code == .cannotConnect)
            try await withDatabase {
                $0.conninfo += " host=\(proxy.folder) port=5432 target_session_attrs=read-only"
                $0.user = "reader_" + current.name
            } _: {
                _ = try await $0.backend()
            }
        }
        try await current.owner.execute("drop role \(identifier: "reader_" + current.name)")
    }

    @Test func `of two servers the one that takes writes is chosen`() async throws {
        guard let writer = try TestDatabase.current.cluster.server else { return }
        let folder = "/tmp/club-reader-\(UUID().uuidString.prefix(8).lowercased())"
        let reader = try await EmbeddedPostgres.start(
            in: folder, profile: .volatile, authentication: .trust, installation: writer.installation,
            logger: CapturedLogs.logger)
        let failed = await failure {
            try await withDatabase {
                $0.conninfo = reader.conninfo(database: "postgres")
                $0.pool.size = 1
            } _: { database in
                try await database.execute("alter system set default_transaction_read_only = on")
                try await database.execute("select pg_reload_conf()")
                try await eventually("the server is read-only") {
                    try await database.one("select current_setting('default_transaction_read_only') = 'on'").decode(
                        Bool.self)
                }
            }
            try await withDatabase {
                let hosts = "\(reader.socketFolder),\(writer.socketFolder)"
                $0.conninfo +=
                    " host=\(hosts) port=\(reader.port),\(writer.port) dbname=postgres target_session_attrs=read-write"
            } _: { database in
                let port = try await database.one("select current_setting('port')::int").decode(Int.self)
                #expect(port == writer.port)
            }
        }
        try await reader.remove()
        if let failed { throw failed }
    }

    @Test func `a name of several addresses is looked up without the reactor waiting`() async throws {
        let error = try await databaseError {
            try await withDatabase {
                $0.conninfo = "host=localhost port=1 dbname=x user=x"
            } _: {
                _ = try await $0.backend()
            }
        }
        #expect(error.code == .cannotConnect)
    }
}
