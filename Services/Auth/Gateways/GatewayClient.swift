import AsyncHTTPClient
import NIOCore
import ServiceLifecycle

/// The HTTP client that gateways share; closed when the service stops.
struct GatewayClient: Service {
    let client: HTTPClient

    init() {
        var configuration = HTTPClient.Configuration()
        // Shorter than any message's patience: only then is "unreachable" told from "no answer".
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(3), read: .seconds(30))
        configuration.redirectConfiguration = .disallow
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func run() async throws {
        // Until the task is told to stop; requests under way end first, because the workers stop before.
        try? await gracefulShutdown()
        try await self.client.shutdown()
    }
}
