internal import AsyncHTTPClient
internal import FoundationEssentials
internal import HTTPTypes
public import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// The simulated partner: its routes, and its webhooks.
public struct PartnerSimulator: Sendable {
    /// How it is set up.
    public struct Setup: Sendable {
        /// What both sides sign with.
        public var secret: String
        /// How long a slow answer takes.
        public var slow = Duration.seconds(3)
        /// How long an answer that never comes is held.
        public var silence = Duration.seconds(60)
        /// Seconds since 1970-01-01T00:00:00Z, for what it signs.
        public var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }

        /// - Parameter secret: what both sides sign with.
        public init(secret: String) {
            self.secret = secret
        }
    }

    /// What it knows, for whoever compares.
    public let book: PartnerBook
    private let setup: Setup

    /// A partner that knows what `book` does.
    public init(_ setup: Setup, book: PartnerBook = PartnerBook()) {
        (self.setup, self.book) = (setup, book)
    }

    private struct OrderRequest: Decodable {
        let order: String
        let account: String?
        let offer: String
        let units: Int64
        let points: Int64
    }

    private struct OrderAnswer: Encodable {
        let order: String
        let status: String
        let reference: String?
        let reason: String?

        init(_ order: PartnerOrder) {
            (self.order, self.status) = (order.order, order.status)
            (self.reference, self.reason) = (order.reference, order.reason)
        }
    }

    private struct AccountQuestion: Decodable {
        let account: String
        let surname: String
    }

    private struct AccountAnswer: Encodable {
        let exists: Bool
        let nameMatches: Bool
    }

    private struct FaultRequest: Decodable {
        let fault: PartnerFault
        let count: Int?
    }

    /// Its routes.
    public func router() -> Router<BasicRequestContext> {
        let router = Router()
        self.addRoutes(to: router.group())
        return router
    }

    /// Adds its routes below a path, so that one port can have several partners.
    public func addRoutes(to router: RouterGroup<BasicRequestContext>) {
        router.post("orders") { request, _ in try await self.order(request) }
        router.get("orders/:order") { request, context in
            guard try await self.signedBody(request) != nil else { return Response(status: .unauthorized) }
            guard let order = self.book.find(context.parameters.get("order") ?? "") else {
                return Response(status: .notFound)
            }
            return try Self.json(OrderAnswer(order))
        }
        router.post("accounts/check") { request, _ in
            guard let body = try await self.signedBody(request) else { return Response(status: .unauthorized) }
            let question = try JSONDecoder().decode(AccountQuestion.self, from: Data(body))
            let exists = question.account.dropLast().last != "9"
            return try Self.json(
                AccountAnswer(exists: exists, nameMatches: exists && question.surname == "Иванова"))
        }
        router.get("file") { _, _ in self.book.dailyFile() }
        self.addControl(to: router.group("control"))
    }

    private func addControl(to control: RouterGroup<BasicRequestContext>) {
        control.post("faults") { request, _ in
            let body = try await request.body.collect(upTo: 4096)
            let wanted = try JSONDecoder().decode(FaultRequest.self, from: Data(body.readableBytesView))
            self.book.misbehave(wanted.fault, times: wanted.count ?? 1)
            return Response(status: .noContent)
        }
        control.delete("faults") { _, _ in
            self.book.behave()
            return Response(status: .noContent)
        }
        control.post("credits") { _, _ in
            let credited = self.book.credit()
            return try Self.json(["credited": credited, "told": try await self.tell()])
        }
        control.get("orders") { _, _ in try Self.json(self.book.orders) }
    }

    private func order(_ request: Request) async throws -> Response {
        guard let body = try await self.signedBody(request) else { return Response(status: .unauthorized) }
        let wanted = try JSONDecoder().decode(OrderRequest.self, from: Data(body))
        let fault = self.book.nextFault()
        if fault == .error { return Response(status: .internalServerError) }
        if fault == .slow { try await ContinuousClock().sleep(for: self.setup.slow) }
        let order = self.book.make(
            PartnerOrder(
                order: wanted.order, account: wanted.account, offer: wanted.offer, units: wanted.units,
                points: wanted.points, status: "accepted"), fault: fault)
        switch fault {
        case .errorAfterAccepting: return Response(status: .internalServerError)
        case .timeoutAfterAccepting:
            try await ContinuousClock().sleep(for: self.setup.silence)
            return Response(status: .gatewayTimeout)
        case .garbage:
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "<html>OK</html>")))
        default:
            return try Self.json(OrderAnswer(order), status: order.status == "rejected" ? .unprocessableContent : .ok)
        }
    }

    /// Tells of all news by signed webhooks.
    /// - Returns: how many were taken.
    @discardableResult
    public func tell() async throws -> Int {
        guard let webhook = self.book.webhook, let path = URL(string: webhook)?.path() else { return 0 }
        var told = 0
        let news = self.book.takeNews()
        for (index, order) in news.enumerated() {
            do {
                let body = Array(try JSONEncoder().encode(OrderAnswer(order)))
                let timestamp = String(self.setup.now())
                var request = HTTPClientRequest(url: webhook)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.headers.add(name: "Club-Timestamp", value: timestamp)
                request.headers.add(
                    name: "Club-Signature",
                    value: PartnerSignature(secret: self.setup.secret).sign("POST", path, timestamp, body))
                request.body = .bytes(ByteBuffer(bytes: body))
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                guard response.status.code < 300 else { throw NotTaken() }
                told += 1
            } catch {
                self.book.putBack(Array(news[index...]))
                throw error
            }
        }
        return told
    }

    private struct NotTaken: Error {}

    /// The body, if the other side has signed it; nil otherwise.
    private func signedBody(_ request: Request) async throws -> [UInt8]? {
        let body = try await request.body.collect(upTo: 65_536)
        let bytes = Array(body.readableBytesView)
        func header(_ name: String) -> String? {
            HTTPField.Name(name).flatMap { request.headers[$0] }
        }
        let isRight = PartnerSignature(secret: self.setup.secret).isRight(
            request.method.rawValue, request.uri.path, header("Club-Timestamp"), header("Club-Signature"), bytes)
        return isRight ? bytes : nil
    }

    private static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let bytes = try JSONEncoder().encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
