internal import FoundationEssentials

/// What is remembered of a cluster between two starts: the small file `cluster.json`.
struct ClusterState: Codable, Sendable, Equatable {
    /// The PostgreSQL programs it was last started with.
    var binaries: String
    var major: Int
    /// Holds `data`, the log and, when its path is short enough, the socket.
    var home: String
    var socketFolder: String
    var port: Int
    var profile: ClusterProfile
    var authentication: ClusterAuthentication

    var data: String { "\(self.home)/data" }
    var log: String { "\(self.home)/server.log" }

    static func load(from file: String) throws -> ClusterState? {
        guard let bytes = FileManager.default.contents(atPath: file) else { return nil }
        return try JSONDecoder().decode(ClusterState.self, from: bytes)
    }

    /// Written beside and renamed, so that a crash leaves the old or the new file, never half of one.
    func save(to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(filePath: file), options: .atomic)
    }
}
