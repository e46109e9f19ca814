import Yams

/// docker-compose.yml, as far as the tests look at it: with defaults filled in for what `.env` may set.
struct ComposeFile {
    struct Malformed: Error {}

    struct Service {
        let name: String
        let content: [String: Any]

        var image: String { self.content["image"] as? String ?? "" }
        var command: [String] { self.content["command"] as? [String] ?? [] }
        var environment: [String: String] { self.content["environment"] as? [String: String] ?? [:] }
        var check: [String] { (self.content["healthcheck"] as? [String: Any])?["test"] as? [String] ?? [] }

        /// Names of secrets, and where in the container each is.
        var secrets: [String: String] {
            var found: [String: String] = [:]
            for entry in self.content["secrets"] as? [Any] ?? [] {
                if let name = entry as? String {
                    found[name] = "/run/secrets/\(name)"
                } else if let long = entry as? [String: String], let name = long["source"] {
                    found[name] = long["target"]
                }
            }
            return found
        }

        /// Ends by itself, or is run by hand.
        var isShort: Bool { ["migrate", "club", "load"].contains(self.name) }
    }

    let text: String
    let services: [String: Service]
    let secrets: Set<String>

    init(text: String) throws {
        self.text = text
        guard let root = try Yams.load(yaml: Self.filled(text)) as? [String: Any],
            let services = root["services"] as? [String: [String: Any]],
            let secrets = root["secrets"] as? [String: Any]
        else { throw Malformed() }
        self.services = Dictionary(uniqueKeysWithValues: services.map { ($0, Service(name: $0, content: $1)) })
        self.secrets = Set(secrets.keys)
    }

    /// `${NAME:-default}` becomes the default.
    static func filled(_ text: String) -> String {
        text.replacing(#/\$\{[A-Z_]+:-([^}]*)\}/#) { String($0.1) }
    }

    /// The settings that the file reads from `.env`.
    var variables: Set<String> { Self.variables(in: self.text) }

    static func variables(in text: String) -> Set<String> {
        Set(text.matches(of: #/\$\{([A-Z_]+)/#).map { String($0.1) })
    }
}
