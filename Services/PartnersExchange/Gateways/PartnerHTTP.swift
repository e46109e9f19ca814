import AsyncHTTPClient
import FoundationEssentials
import Kernel
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// The way out to partners: HTTP with a deadline, to addresses that the operator allows, without following redirects.
final class PartnerHTTP: Service {
    /// Of an answer; more is no answer.
    private static let bytesMax = 64 * 1024

    /// What a partner answered.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    private let client = NIOLockedValueBox<HTTPClient?>(nil)
    private let timeout: Duration

    /// - Parameter timeout: how long an answer is waited for, from the first byte to the last.
    init(timeout: Duration) {
        self.timeout = timeout
    }

    /// - Throws: whatever keeps an answer from coming: then it is not known what was done.
    func send(
        _ method: String, _ url: String, headers: [(String, String)], body: [UInt8]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !body.isEmpty {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let deadline = NIODeadline.now() + .milliseconds(self.timeout.wholeMilliseconds)
        let response = try await self.open().execute(request, deadline: deadline)
        let bytes = try await response.body.collect(upTo: Self.bytesMax)
        return Answer(status: Int(response.status.code), body: Array(bytes.readableBytesView))
    }

    /// Made when it is first needed, so that a service that talks to nobody has none.
    private func open() -> HTTPClient {
        self.client.withLockedValue { client in
            if let client { return client }
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            configuration.timeout.connect = .seconds(2)
            configuration.connectionPool.retryConnectionEstablishment = false
            let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            client = made
            return made
        }
    }

    /// Waits for the service's end and closes the connections.
    func run() async throws {
        try? await gracefulShutdown()
        try await self.shutdown()
    }

    /// Closes the connections.
    func shutdown() async throws {
        let client = self.client.withLockedValue { client in
            defer { client = nil }
            return client
        }
        try await client?.shutdown()
    }
}

extension Duration {
    /// Whole milliseconds, parts dropped.
    fileprivate var wholeMilliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}

/// Where partners may be: what the operator says, not what a partner manager or a partner says.
struct AllowedHosts: Sendable {
    private let hosts: Set<String>

    /// Reads `host` and `host:port` entries between commas; `none` for none.
    init(_ text: String) {
        self.hosts = Set(
            text.split(separator: ",").map { String($0.filter { $0 != " " }).lowercased() }
                .filter { $0 != "none" && !$0.isEmpty })
    }

    /// Whether an address is one that may be talked to: `https`, or `http` on a port that is named, without a user,
    /// a query or a fragment.
    func allows(_ address: String) -> Bool {
        guard address.utf8.count <= 200, let url = URL(string: address), let scheme = url.scheme?.lowercased(),
            let host = url.host()?.lowercased(), url.user() == nil, url.query() == nil, url.fragment() == nil,
            !address.contains("@"), !address.hasSuffix("/")
        else { return false }
        guard let port = url.port else { return scheme == "https" && self.hosts.contains(host) }
        return (scheme == "https" || scheme == "http") && self.hosts.contains("\(host):\(port)")
    }
}
