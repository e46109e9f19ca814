import Auth
import Charity
import FoundationEssentials
import GiftCertificates
import JobQueue
import Kernel
import Ledger
import Logging
import PartnersExchange
import Postgres
import Promotions
import Support
import TestSupport
import Testing
import Web
import Yams

@testable import Host

/// What a service serves and what its OpenAPI document says are the same list.
@Suite(
    .database(
        JobQueueMigrations.set, AuthModule.migrations, LedgerModule.migrations, PromotionsModule.migrations,
        PartnersExchangeModule.migrations, CharityModule.migrations, GiftCertificatesModule.migrations,
        SupportModule.migrations))
struct OpenAPITests {
    static let modules: [any ServiceModule.Type] = [
        AuthModule.self, LedgerModule.self, PromotionsModule.self, PartnersExchangeModule.self, CharityModule.self,
        GiftCertificatesModule.self, SupportModule.self,
    ]

    @Test(arguments: modules.map { $0.name.text })
    func `every route stands in openapi.yaml, and every path of openapi.yaml has a route`(service: String) async throws
    {
        let module = try #require(Self.modules.first { $0.name.text == service })
        let served = try await self.operations(of: module)
        let document = try self.document(of: module)
        let documented = Set(document.operations.keys).subtracting(ServicePages.operations)
        #expect(!served.isEmpty)
        #expect(served.subtracting(documented).sorted() == [], "served, but not in openapi.yaml")
        #expect(documented.subtracting(served).sorted() == [], "in openapi.yaml, but not served")
    }

    @Test(arguments: modules.map { $0.name.text })
    func `every operation says what it answers, and which problems it has`(service: String) throws {
        let module = try #require(Self.modules.first { $0.name.text == service })
        let document = try self.document(of: module)
        #expect(document.version.hasPrefix("3.1"))
        for (name, operation) in document.operations where !ServicePages.operations.contains(name) {
            #expect(operation["operationId"] is String, "\(name) has no operationId")
            #expect(operation["summary"] is String, "\(name) has no summary")
            let responses = operation["responses"] as? [AnyHashable: Any] ?? [:]
            let codes = responses.keys.map { "\($0)" }
            #expect(codes.contains { $0.hasPrefix("2") }, "\(name) does not say what success is")
            // What takes nothing and asks for nobody cannot be asked wrongly.
            let canBeRefused = ["parameters", "requestBody", "security"].contains { operation[$0] != nil }
            #expect(
                !canBeRefused || codes.contains { $0.hasPrefix("4") || $0 == "default" },
                "\(name) does not name its problems")
        }
    }

    /// The table that Tests/Journeys tries cell by cell: here it is held against the routers.
    @Test func `every route stands in the table of who may, and every line of it has a route`() async throws {
        var served: Set<String> = []
        for module in Self.modules {
            served.formUnion(try await self.operations(of: module).map { "\(module.name.text) \($0)" })
        }
        let lines = try SourceTree.text("Tests/Journeys/Matrix/authorisation.txt").split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
        #expect(served.count > 200)
        #expect(served.subtracting(lines).sorted() == [], "routes that the table does not name")
        #expect(Set(lines).subtracting(served).sorted() == [], "lines without a route")
        #expect(Set(lines).count == lines.count, "a route has one line")
    }

    @Test func `the table lets nobody in where a contract asks for somebody, and everybody where it does not`() throws {
        let lines = try SourceTree.text("Tests/Journeys/Matrix/authorisation.txt").split(separator: "\n")
            .filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        for module in Self.modules {
            let document = try self.document(of: module)
            let own = lines.filter { $0[0] == module.name.text }
            #expect(!own.isEmpty)
            for line in own {
                let name = "\(line[1]) \(line[2])"
                let security = document.operations[name]?["security"] as? [Any] ?? []
                // The first column of cells is nobody's.
                #expect((line[3] == "401") == !security.isEmpty, "\(module.name.text) \(name)")
            }
        }
    }

    private func document(of module: any ServiceModule.Type) throws -> OpenAPIDocument {
        let folder = module.migrations.directory.split(separator: "/").dropLast().joined(separator: "/")
        return try OpenAPIDocument(text: String(contentsOfFile: "/\(folder)/openapi.yaml", encoding: .utf8))
    }

    private func operations(of module: any ServiceModule.Type) async throws -> Set<String> {
        let database = try TestDatabase.current
        let configuration = database.configuration(for: module.name)
        let logger = CapturedLogs.logger
        let bus = Bus(
            service: module.name, database: database.database(for: module.name),
            listener: Listener(configuration, reactor: database.reactor, logger: logger), logger: logger)
        let secrets = module.settings.filter(\.isSecret).map { ($0.name, String(repeating: "ab", count: 32)) }
        let settings = try Settings(
            HostSettings.declared(for: [module]),
            from: SettingsSources(given: Dictionary(uniqueKeysWithValues: secrets), environment: [:]))
        let clock = SystemClock()
        let instance = try await module.init(
            ModuleResources(
                database: database.database(for: module.name), bus: bus, clock: clock, ids: .uuidV7(clock: clock),
                random: .system, settings: settings, logger: logger))
        return OperationList.of { instance.addRoutes(to: $0) }
    }
}

/// The parts of an OpenAPI document that the tests look at.
struct OpenAPIDocument {
    struct Malformed: Error {}

    let version: String
    /// `GET /v1/holds/{hold}` and what the document says of it.
    let operations: [String: [String: Any]]

    init(text: String) throws {
        guard
            let root = try Yams.load(yaml: text) as? [String: Any], let version = root["openapi"] as? String,
            let paths = root["paths"] as? [String: Any]
        else { throw Malformed() }
        var operations: [String: [String: Any]] = [:]
        for (path, item) in paths {
            guard let item = item as? [String: Any] else { throw Malformed() }
            for method in ["get", "post", "put", "patch", "delete"] {
                guard let operation = item[method] as? [String: Any] else { continue }
                operations["\(method.uppercased()) \(path)"] = operation
            }
        }
        self.version = version
        self.operations = operations
    }
}
