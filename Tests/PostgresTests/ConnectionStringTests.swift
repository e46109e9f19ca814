import Kernel
import Testing

@testable import Postgres

@Suite struct ConnectionStringTests {
    private func settings(_ conninfo: String) throws -> ConnectionString {
        try ConnectionString(DatabaseConfiguration(conninfo: conninfo))
    }

    @Test func `a URL with several hosts is read as libpq reads it`() throws {
        let settings = try self.settings(
            "postgresql://u@a:5433,b:5434/club?target_session_attrs=read-write&sslmode=require")
        #expect(
            settings.hosts == [
                .init(name: "a", address: "", port: "5433"), .init(name: "b", address: "", port: "5434"),
            ])
        #expect(settings.values["target_session_attrs"] == "read-write")
        #expect(settings.values["sslmode"] == "require")
        #expect(settings.values["user"] == "u" && settings.values["dbname"] == "club")
    }

    @Test func `a dead host is noticed in seconds unless the operator says otherwise`() throws {
        let house = try self.settings("host=a")
        #expect(house.values["keepalives_idle"] == "1" && house.values["keepalives_interval"] == "1")
        #expect(house.values["keepalives_count"] == "3" && house.values["tcp_user_timeout"] == "5000")
        #expect(try self.settings("host=a keepalives_idle=30").values["keepalives_idle"] == "30")
    }

    @Test func `limits go into the start packet and the operator's own come last`() throws {
        let configuration = DatabaseConfiguration(
            conninfo: "host=a options='-c work_mem=1MB'", statementTimeout: .milliseconds(1500), lockTimeout: .zero,
            idleInTransactionTimeout: .seconds(3))
        let options = try #require(try ConnectionString(configuration).values["options"])
        #expect(options.contains("statement_timeout=1500 ") && options.contains("lock_timeout=0 "))
        #expect(options.contains("idle_in_transaction_session_timeout=3000 "))
        #expect(options.hasSuffix("-c work_mem=1MB"))
    }

    @Test func `user, password and name of the configuration go before the string`() throws {
        let configuration = DatabaseConfiguration(
            conninfo: "host=a user=x password=y application_name=z", user: "club_ledger", password: Secret("hush"),
            applicationName: "ledger-1")
        let values = try ConnectionString(configuration).values
        #expect(values["user"] == "club_ledger" && values["password"] == "hush")
        #expect(values["application_name"] == "ledger-1")
        #expect(!"\(configuration)".contains("hush"))
    }

    @Test func `connect_timeout of the string counts, else the configuration's`() throws {
        #expect(try self.settings("host=a connect_timeout=9").connectTimeout == .seconds(9))
        #expect(try self.settings("host=a").connectTimeout == .seconds(5))
    }

    @Test(arguments: ["hosst=a", "postgresql://[::1", "host=a,b port=1,2,3", "host=a,b hostaddr=127.0.0.1"])
    func `a string that cannot be read is refused without quoting it`(conninfo: String) {
        let error = #expect(throws: DatabaseError.self) { try self.settings("\(conninfo) ") }
        #expect(error?.code == .invalidConfiguration)
        #expect(error.map { "\($0)".contains(conninfo) } == false)
    }

    @Test(arguments: [("/tmp/socket", false), ("@abstract", false), ("db.example", true), ("", false)])
    func `only names are looked up`(name: String, needsLookup: Bool) {
        #expect(ConnectionString.Host(name: name, address: "", port: "").needsLookup == needsLookup)
        #expect(!ConnectionString.Host(name: name, address: "127.0.0.1", port: "").needsLookup)
    }

    @Test func `a name becomes its addresses, and one that is not found stays`() throws {
        let found = try self.settings("host=localhost port=1").resolved().hosts
        #expect(found.allSatisfy { $0.name == "localhost" && $0.port == "1" && !$0.address.isEmpty })
        let unknown = try self.settings("host=no-such-host.invalid").resolved().hosts
        #expect(unknown.map(\.name) == ["no-such-host.invalid"] && unknown.map(\.address) == [""])
    }
}
