/// Something without which a service cannot do its work, such as the database.
public struct HealthCheck: Sendable {
    /// As it appears in the answer of `/health/ready`.
    public let name: String
    private let check: @Sendable () async throws -> Void

    /// - Parameter check: throws when it is not well.
    public init(_ name: String, check: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.check = check
    }

    /// Whether it is well, and says so within `limit`.
    func isWell(within limit: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await self.check()
                    return true
                } catch {
                    return false
                }
            }
            group.addTask {
                // Cancelled when the check was faster.
                try? await ContinuousClock().sleep(for: limit)
                return false
            }
            let isWell = await group.next() ?? false
            group.cancelAll()
            return isWell
        }
    }
}

/// The answer of `/health/ready`.
struct Readiness: Encodable {
    enum Status: String, Encodable {
        case ready
        case notReady = "not-ready"
    }

    enum Result: String, Encodable {
        case ok, failed
    }

    let status: Status
    let checks: [String: Result]

    /// Asks all checks at once.
    static func of(_ checks: [HealthCheck], within limit: Duration) async -> Readiness {
        let results = await withTaskGroup(of: (String, Result).self) { group in
            for check in checks {
                group.addTask { (check.name, await check.isWell(within: limit) ? .ok : .failed) }
            }
            return await group.reduce(into: [:]) { results, result in results[result.0] = result.1 }
        }
        return Readiness(status: results.values.allSatisfy { $0 == .ok } ? .ready : .notReady, checks: results)
    }
}
