import FoundationEssentials
import Host
import Kernel
import Postgres
import Testing

/// The edge sends every path of the services' documents to its service, and nothing else to anybody.
@Suite struct EdgeRoutesTests {
    private struct Route {
        let pattern: Regex<AnyRegexOutput>
        let target: String
    }

    /// Lines of nginx's map: a quoted expression and where it leads.
    private func routes() throws -> [Route] {
        try SourceTree.text("deploy/nginx/routes.map").split(separator: "\n").compactMap { line in
            guard let parts = line.firstMatch(of: #/^"~(.+)"\s+(\S+);$/#) else {
                #expect(line.hasPrefix("#"), "\(line)")
                return nil
            }
            return Route(pattern: try Regex(String(parts.1)), target: String(parts.2))
        }
    }

    /// As nginx does it: the first line that fits.
    private func target(of path: String, in routes: [Route]) -> String? {
        routes.first { path.firstMatch(of: $0.pattern) != nil }?.target
    }

    /// What nobody outside asks for: the pages of operators, and Kannel, which is inside.
    private static func isInternal(_ path: String) -> Bool {
        ["/health/", "/metrics", "/openapi.yaml", "/gateways/"].contains { path.hasPrefix($0) }
    }

    @Test func `every path of a service's document leads to that service, and internal ones to nobody`() throws {
        let routes = try self.routes()
        var count = 0
        for (place, module) in OpenAPITests.modules.enumerated() {
            let folder = module.migrations.directory.split(separator: "/").dropLast().joined(separator: "/")
            let document = try OpenAPIDocument(text: String(contentsOfFile: "/\(folder)/openapi.yaml", encoding: .utf8))
            let address = "\(module.name.text.replacing("_", with: "-")):\(8080 + place)"
            for operation in document.operations.keys {
                let path = String(operation.drop { $0 != "/" }).replacing(#/\{[^}]*\}/#, with: "x1")
                let expected = Self.isInternal(path) ? nil : address
                #expect(self.target(of: path, in: routes) == expected, "\(operation)")
                count += 1
            }
        }
        #expect(count > 150)
    }

    @Test(arguments: ["/", "/metrics", "/v1", "/v1/balances", "/health/ready", "/gateways/kannel/x/messages"])
    func `any other path leads to nobody`(path: String) throws {
        #expect(self.target(of: path, in: try self.routes()) == nil)
    }
}
