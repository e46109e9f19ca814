import Kernel
import TestSupport

@testable import Host

extension ServiceChecklist {
    static let ofTheService = [
        Check("Folder") { service in
            ["API", "Domain", "Handlers", "Operations", "Store", "Migrations"].map { "\(service.path)/\($0)" }
                .filter { !SourceTree.exists($0) }
        },
        Check("Module") {
            try lacks(
                "\($0.path)/\($0.folder)Module.swift", "public struct \($0.folder)Module: ServiceModule {",
                "static let name: ServiceName = \"\($0.name)\"", "static let migrations = MigrationSet(",
                "func addRoutes(")
        },
        Check("Settings") { service in
            let wrong = service.settings.filter {
                !$0.name.hasPrefix(service.settingPrefix) || $0.meaning.isEmpty
            }
            let rows = try service.requiredSecrets.flatMap { try lacks("README.md", "| `\($0)` | required |") }
            return wrong.map { "\($0.name) with its prefix and its meaning" } + rows
        },
        Check("Schema and role") {
            try lacks(
                below: "\($0.path)/Migrations", endings: [".sql"], "create schema \($0.name);",
                "create role \($0.role) login;", "grant club_bus to \($0.role);")
        },
        Check("Queues") { try lacks(below: $0.path, endings: [".swift"], "\"\($0.name).") },
        Check("Ended sessions") {
            // The one who ends them knows them.
            guard $0.name != "auth" else { return [] }
            return try lacks(
                below: "\($0.path)/Migrations", endings: [".sql"], "create table \($0.name).ended_session (")
                + lacks(below: $0.path, endings: [".swift"], ".endedSessions(of:")
        },
        Check("Contract") {
            let path = "\($0.path)/openapi.yaml"
            guard SourceTree.exists(path) else { return [path] }
            let document = try OpenAPIDocument(text: SourceTree.text(path))
            return document.version.hasPrefix("3.1") && !document.operations.isEmpty ? [] : ["\(path): operations"]
        },
        Check("Page") { try lacks("\($0.path)/README.md", "**Owns**", "uarantees") },
    ]

    static let ofTheProgram = [
        Check("Package") {
            try lacks(
                "Package.swift", "+ service(\"\($0.folder)\", executable: \"\($0.program)\"",
                "suite(\"\($0.folder)Tests\",")
                + lacks($0.folder, in: "Package.swift", from: "name: \"Club\",", to: "path:")
                + lacks($0.folder, in: "Package.swift", from: "\"RepositoryTests\", path: \"Repository\",", to: "]")
        },
        Check("Executable") {
            try lacks(
                "Services/Executables/\($0.program)/Main.swift", "ServiceHost.main(\($0.folder)Module.self)")
        },
        Check("Place") {
            let services = ServiceCatalogue.services.map(\.text)
            return services.indices.contains($0.place) && services[$0.place] == $0.name
                ? [] : ["\($0.name) at place \($0.place) of ServiceCatalogue"]
        },
        Check("Operator's command") {
            let (club, own) = ("Services/Club", "\($0.folder)Module")
            return try lacks(own, in: "\(club)/System/ServicePlan.swift", from: "static let modules", to: "]\n")
                + lacks($0.name, in: "\(club)/Client/ServicePart.swift", from: "enum ServicePart", to: "services =")
                + lacks("\(club)/Commands/UpCommand.swift", "\($0.host) \($0.portText),")
                + lacks($0.name, in: "\(club)/Commands/URLCommand.swift", from: "help:", to: "var service")
        },
        Check("House rules") { service in
            let tests = ["OpenAPITests", "RoleMatrixTests"].map { "Tests/Repository/\($0).swift" }
            let migrations = try tests.flatMap { try lacks($0, "\(service.folder)Module.migrations") }
            let isRuled = HouseRule.services.contains(service.folder)
            let isTried = OpenAPITests.modules.contains { $0.name.text == service.name }
            return migrations + (isRuled ? [] : ["HouseRule.services"]) + (isTried ? [] : ["OpenAPITests.modules"])
        },
    ]

    static let ofTheContainers = [
        Check("Compose") {
            let compose = try ComposeFile(text: SourceTree.text("docker-compose.yml"))
            guard let service = compose.services[$0.host] else { return ["docker-compose.yml: \($0.host)"] }
            let content = service.content
            let replicas = "\($0.settingPrefix)REPLICAS"
            let facts = [
                "command": service.command == [$0.program],
                "health check": service.check == ["CMD", $0.program, "--health"],
                "read_only": content["read_only"] as? Bool == true,
                "cap_drop": content["cap_drop"] as? [String] == ["ALL"],
                "limits": ["mem_limit", "cpus", "pids_limit"].allSatisfy { content[$0] != nil },
                replicas: compose.variables.contains(replicas),
            ]
            return facts.filter { !$0.value }.map { "docker-compose.yml: \($0.key)" }
                + (try lacks(".env.example", "#\(replicas)="))
        },
        Check("Secrets") { service in
            let compose = try ComposeFile(text: SourceTree.text("docker-compose.yml"))
            let keys = service.requiredSecrets.map { $0.lowercased() }
            let password = "\(service.role).password"
            let declared = (keys + [password]).filter { name in
                !compose.secrets.contains(name) || compose.services[service.host]?.secrets[name] == nil
            }
            let migrates = compose.services["migrate"]?.secrets[password] != nil
            let made = try lacks(service.name, in: "deploy/secrets", from: "for service in ", to: ";")
            return try declared + (migrates ? [] : ["migrate: \(password)"]) + made
                + keys.flatMap { key in
                    try lacks(String(key.dropFirst(5)), in: "deploy/secrets", from: "for name in ", to: ";")
                        + lacks(key, in: "deploy/README.md", from: "## Rotating secrets", to: "\n## ")
                }
        },
        Check("Image and scripts") {
            try lacks($0.program, in: "deploy/Dockerfile", from: "for name in ", to: ";")
                + lacks($0.program, in: "deploy/run", from: "for product in ", to: ";")
                + lacks($0.host, in: "deploy/upgrade", from: "all=(", to: ")")
                + lacks($0.host, in: "deploy/compose-walk.sh", from: "services=(", to: ")")
                + lacks("deploy/compose-walk.sh", "[\($0.host)]=/")
                + lacks($0.name, in: "deploy/load/prepare", from: "SERVICES = [", to: "]")
        },
        Check("Door of the database") {
            try lacks("deploy/postgres/pg_hba.conf", "host club \($0.role) samenet scram-sha-256")
        },
        Check("Edge") { try lacks("deploy/nginx/routes.map", "\($0.host):\($0.port);") },
    ]

    static let ofTheRest = [
        Check("Scrape") {
            try Self.monitoring().jobs[$0.host] == $0.port ? [] : ["prometheus.yml: \($0.host) at \($0.port)"]
        },
        Check("Dashboard") {
            try Self.monitoring().dashboards[$0.host]?.isEmpty == false ? [] : ["dashboards/\($0.host).json"]
        },
        Check("Alerts") { service in
            let monitoring = try Self.monitoring()
            let general = ["ServiceDown", "RequestsFail", "RequestsSlow"].filter { name in
                let alert = monitoring.alerts.first { $0.name == name }
                return alert.map { PromQL.selectors(in: $0.expression).contains { $0.job != nil } } ?? true
            }
            // What is said of this service alone is measured by it.
            let own = Set(monitoring.alerts.flatMap { PromQL.selectors(in: $0.expression) }.map(\.metric))
                .filter { $0.hasPrefix("\(service.name)_") }
                .map { $0.hasSuffix("_total") ? String($0.dropLast(6)) : $0 }
            let unmeasured = try own.sorted().flatMap { try lacks(below: service.path, endings: [".swift"], $0) }
            let isScraped = monitoring.jobs[service.host] != nil
            return general + unmeasured + (isScraped ? [] : ["nothing of \(service.host) is scraped"])
        },
        Check("Who may") { service in
            let lines = try SourceTree.text("Tests/Journeys/Matrix/authorisation.txt").split(separator: "\n")
            return lines.contains { $0.hasPrefix("\(service.name) ") } ? [] : ["authorisation.txt: \(service.name)"]
        },
        Check("Features") {
            try lacks("FEATURES.md", "\($0.host) `")
                + lacks("Tests/Journeys/FeatureTableTests.swift", "\"\($0.host)\": \"\($0.folder)\"")
        },
        Check("README") {
            try lacks("README.md", "| [\($0.host)](\($0.path)/README.md) | \($0.portText) |")
                + lacks($0.folder, in: "README.md", from: "\nServices/ ", to: ": the services")
        },
        Check("Tests") { service in
            let folder = "Tests/\(service.folder)Tests"
            return try lacks(below: folder, endings: ["Tests.swift"], "@Test", "#expect(")
                + lacks("\(service.folder)Tests", in: "deploy/test", from: "case \"$part\" in", to: "esac")
        },
    ]

    private static func monitoring() throws -> Monitoring {
        try Monitoring(folder: SourceTree.root + "/deploy/monitoring")
    }
}
