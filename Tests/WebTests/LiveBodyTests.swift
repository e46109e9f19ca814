import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Web

/// The same over a real socket: what a client sees that sends more than anybody wants to read.
@Suite struct LiveBodyTests {
    private static let application: Application<RouterResponder<ClubRequestContext>> = {
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages) { router in
            router.post("/echo") { request, _ in
                try Response.json(try await StrictJSON.decode([Int].self, from: request, limit: 1000))
            }
        }
        return Application(
            responder: router.buildResponder(), configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    }()

    @Test func `five megabytes are refused, and the connection is of use again`() async throws {
        try await Self.application.test(.live) { client in
            let headers: HTTPFields = [.contentType: "application/json"]
            let huge = ByteBuffer(repeating: UInt8(ascii: " "), count: 5_000_000)
            let refused = try await client.execute(uri: "/echo", method: .post, headers: headers, body: huge)
            #expect(refused.status == .contentTooLarge)
            #expect(String(buffer: refused.body).contains(#""code":"body-too-large""#))
            let small = try await client.execute(
                uri: "/echo", method: .post, headers: headers, body: ByteBuffer(string: "[1, 2]"))
            #expect(String(buffer: small.body) == "[1,2]")
        }
    }

    @Test func `a request of any client knows the address it came from`() async throws {
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages) { router in
            router.get("/address") { _, context in try Response.json([context.peerAddress ?? "-"]) }
        }
        let application = Application(
            responder: router.buildResponder(), configuration: .init(address: .hostname("127.0.0.1", port: 0)))
        try await application.test(.live) { client in
            let reply = try await client.execute(uri: "/address", method: .get)
            #expect(String(buffer: reply.body) == #"["127.0.0.1"]"#)
        }
    }
}
