import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks services whether they can work: `GET /health/ready`.
struct Readiness: Sendable {
    let http: HTTPClient

    /// Between two questions while something is not ready yet.
    private static let pause = Duration.milliseconds(50)

    func isReady(_ service: SystemState.RunningService) async -> Bool {
        let request = HTTPClientRequest(url: "\(service.url)/health/ready")
        // A service that is starting refuses the connection: that is an answer as well.
        guard let response = try? await self.http.execute(request, timeout: .seconds(2)) else { return false }
        _ = try? await response.body.collect(upTo: 1 << 16)
        return response.status == .ok
    }

    /// Waits until all of them are.
    /// - Parameter check: called in between; throws to give up.
    func wait(for services: [SystemState.RunningService], check: () throws -> Void) async throws {
        var waiting = services
        while true {
            var remaining: [SystemState.RunningService] = []
            for service in waiting where await !self.isReady(service) { remaining.append(service) }
            if remaining.isEmpty { return }
            waiting = remaining
            try check()
            try await Task.sleep(for: Self.pause)
        }
    }
}

extension HTTPClient {
    /// A client for as long as the body runs.
    static func withClient<R>(
        connections: Int = 8, _ body: (HTTPClient) async throws -> R
    ) async throws -> R {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        configuration.timeout.connect = .seconds(2)
        // Whoever wants another attempt makes it, with pauses that grow.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }
}
