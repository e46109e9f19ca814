import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Support

/// support as a process runs it: sockets, workers, the bus.
@Suite(.supportDatabase, .capturedLogs) struct RunningServiceTests {
    @Test func `the service starts with its settings and answers everybody`() async throws {
        let settings = [
            "CLUB_SUPPORT_MAIL_KEY": SupportWorld.mailKey, "CLUB_SUPPORT_OPEN_RATE": "4",
            "CLUB_QUEUE_KEYS": "1:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        ]
        try await ServiceWorld.run([SupportModule.self], settings: settings) { world in
            let client = try world.client(for: "support")
            let reasons = try await client.get("/v1/reasons")
            #expect(reasons.status == 200 && reasons.text.contains("points-missing"))
            #expect(try await client.get("/v1/tickets").status == 401)
            #expect(try await client.get("/openapi.yaml").text.hasPrefix("openapi: 3.1.0"))
            let letter = try await client.authorized(SupportWorld.mailKey).send(
                "POST", "/v1/inbound-mail", body: Data(try SupportWorld.fixture("fresh.eml")),
                headers: ["content-type": "message/rfc822"])
            #expect(letter.status == 200 && letter.text.contains("opened"))
            // Who asks too often is slowed down.
            var statuses: [Int] = []
            for _ in 0..<6 { statuses.append(try await client.get("/v1/faq?q=%D0%B1%D0%B0%D0%BB%D0%BB%D1%8B").status) }
            #expect(statuses.first == 200 && statuses.last == 429)
        }
    }

    @Test func `a domain that is none stops the start`() async throws {
        await #expect(throws: (any Error).self) {
            try await ServiceWorld.run([SupportModule.self], settings: ["CLUB_SUPPORT_MAIL_DOMAIN": "none"]) { _ in }
        }
    }
}
