import EmbeddedPostgres
import FoundationEssentials
import Glibc
import Kernel
import TestSupport
import Testing

@testable import Postgres

/// Real handshakes, with a server that has a certificate of an authority of ours. One at a time: each starts a server.
@Suite(.serialized, .database(), .timeLimit(.minutes(20))) struct TLSTests {
    /// Connects over TCP to a name that leads to the server.
    private func connect<R: Sendable>(
        _ secured: SecuredServer, host: String = "localhost", _ settings: String,
        _ body: (Database) async throws -> R
    ) async throws -> R {
        try await withDatabase {
            $0.conninfo =
                "host=\(host) port=\(secured.server.port) dbname=postgres user=\(EmbeddedPostgres.owner) \(settings)"
        } _: {
            try await body($0)
        }
    }

    private func refusal(
        _ secured: SecuredServer, host: String = "localhost", _ settings: String
    ) async throws -> DatabaseError {
        try await databaseError { try await self.connect(secured, host: host, settings) { _ = try await $0.backend() } }
    }

    @Test func `a server of the right authority and name is trusted and the session encrypted`() async throws {
        try await SecuredServer.run { secured in
            let settings = "sslmode=verify-full sslrootcert=\(secured.authority.certificate)"
            try await self.connect(secured, settings) { database in
                let (isEncrypted, version) = try await database.one(
                    "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
                ).decode(Bool.self, String.self)
                #expect(isEncrypted)
                #expect(version.hasPrefix("TLSv1."))
            }
            // The witness: without TLS the same question is answered otherwise.
            try await self.connect(secured, "sslmode=disable") { database in
                let isEncrypted = try await database.one("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
                    .decode(Bool.self)
                #expect(!isEncrypted)
            }
        }
    }

    @Test func `a server of another authority is refused with what to do`() async throws {
        try await SecuredServer.run { secured in
            let other = try await TestAuthority.make("other", in: secured.folder)
            let error = try await self.refusal(secured, "sslmode=verify-full sslrootcert=\(other.certificate)")
            #expect(error.code == .cannotConnect)
            #expect("\(error)".contains("name the right authority's file there"), "\(error)")
        }
    }

    @Test func `a server of another name is refused with what to do`() async throws {
        try await SecuredServer.run { secured in
            let root = "sslrootcert=\(secured.authority.certificate)"
            let error = try await self.refusal(secured, host: "127.0.0.1", "sslmode=verify-full \(root)")
            #expect(error.code == .cannotConnect)
            #expect("\(error)".contains("connect to a name that it holds"), "\(error)")
            // The name alone was wrong: the authority is the right one.
            try await self.connect(secured, host: "127.0.0.1", "sslmode=verify-ca \(root)") {
                _ = try await $0.backend()
            }
        }
    }

    @Test func `an authority's file that is missing is named as what to give`() async throws {
        try await SecuredServer.run { secured in
            let error = try await self.refusal(secured, "sslmode=verify-full sslrootcert=\(secured.folder)/none.crt")
            #expect(error.code == .cannotConnect)
            #expect("\(error)".contains("name it in sslrootcert"), "\(error)")
        }
    }

    @Test func `a server without TLS is refused where TLS is demanded`() async throws {
        // The server of all tests has none.
        guard let server = try TestDatabase.current.cluster.server else { return }
        let error = try await databaseError {
            try await withDatabase {
                $0.conninfo = "host=127.0.0.1 port=\(server.port) dbname=postgres sslmode=require"
            } _: {
                _ = try await $0.backend()
            }
        }
        #expect(error.code == .cannotConnect)
        #expect("\(error)".contains("turn ssl on there"), "\(error)")
    }
}

/// An authority for certificates, in files.
private struct TestAuthority: Sendable {
    let certificate: String
    let key: String

    /// - Parameter name: of its files in the folder.
    static func make(_ name: String, in folder: String) async throws -> TestAuthority {
        let authority = TestAuthority(certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
        try await openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)"] + Self.newKey(authority.key)
                + ["-out", authority.certificate])
        return authority
    }

    /// A server's certificate for a host name.
    func certify(_ host: String, key: String, certificate: String) async throws {
        let (request, extensions) = ("\(certificate).csr", "\(certificate).ext")
        try Data("subjectAltName = DNS:\(host)\n".utf8).write(to: URL(filePath: extensions))
        try await openssl(["req", "-new", "-subj", "/CN=\(host)"] + Self.newKey(key) + ["-out", request])
        try await openssl([
            "x509", "-req", "-days", "2", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
            "-CAcreateserial", "-extfile", extensions, "-out", certificate,
        ])
    }

    private static func newKey(_ file: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file]
    }
}

private func openssl(_ arguments: [String]) async throws {
    let result = try await ClubShell(data: "/nonexistent").run("openssl", arguments)
    try #require(result.code == 0, "openssl \(arguments): \(result)")
}

/// A server of its own that offers TLS, with a certificate for localhost.
private struct SecuredServer: Sendable {
    let folder: String
    let server: EmbeddedPostgres
    let authority: TestAuthority

    /// Has one for as long as the body runs; skips it where the server was built without TLS.
    static func run(_ body: (SecuredServer) async throws -> Void) async throws {
        guard let model = try TestDatabase.current.cluster.server else { return }
        let folder = "/tmp/club-tls-\(UUID().uuidString.prefix(8).lowercased())"
        let server = try await EmbeddedPostgres.start(
            in: folder, profile: .volatile, authentication: .trust, installation: model.installation,
            logger: CapturedLogs.logger)
        // One that cannot be asked will say why below.
        let hasTLS = (try? await Self.hasTLS(server)) ?? true
        let failed = await failure {
            guard hasTLS else { return }
            let authority = try await TestAuthority.make("authority", in: folder)
            try await Self.secure(server, by: authority)
            try await body(SecuredServer(folder: folder, server: server, authority: authority))
        }
        try await server.remove()
        try FileManager.default.removeItem(atPath: folder)
        // Last, because it cancels the task, and a cancelled task stops no server.
        if !hasTLS { try Test.cancel("PostgreSQL \(model.installation.version) was built without TLS here") }
        if let failed { throw failed }
    }

    private static func hasTLS(_ server: EmbeddedPostgres) async throws -> Bool {
        try await withDatabase {
            $0.conninfo = server.conninfo(database: "postgres")
        } _: {
            try await $0.one("select current_setting('ssl_library') <> ''").decode(Bool.self)
        }
    }

    private static func secure(_ server: EmbeddedPostgres, by authority: TestAuthority) async throws {
        let (key, certificate) = ("\(server.dataFolder)/server.key", "\(server.dataFolder)/server.crt")
        try await authority.certify("localhost", key: key, certificate: certificate)
        // PostgreSQL takes a key only when nobody but its own user can read it.
        var data = stat()
        try #require(stat(server.dataFolder, &data) == 0)
        try #require(chown(key, data.st_uid, data.st_gid) == 0 && chmod(key, 0o600) == 0)
        try await withDatabase {
            $0.conninfo = server.conninfo(database: "postgres")
            $0.pool.size = 1
        } _: { database in
            try await database.execute("alter system set ssl = on")
            try await database.execute("select pg_reload_conf()")
            try await eventually("the server offers TLS") {
                try await database.one("select current_setting('ssl') = 'on'").decode(Bool.self)
            }
        }
    }
}
