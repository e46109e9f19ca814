import Foundation
import TestSupport
import Testing

@testable import Club

/// One trace from the till's request to the member's notification, through four processes that know each other only by the
/// bus, as a collector sees it.
@Suite struct TraceTests {
    @Test func `the receipt at the till and the push on the phone are one tree`() async throws {
        try await TraceCollector.run { collector, endpoint in
            let settings = ["CLUB_OTLP_ENDPOINT": endpoint]
            try await TestSystem.run(separate: true, demo: true, settings: settings) { system in
                let programme = try await Programme(system)
                let vera = try await Customer.join(
                    programme, phone: "+79161234567", name: ["last": "Орлова", "first": "Вера"])
                try await vera.ask(
                    "PUT", .auth, "/v1/me/device", ["platform": "android", "token": "a-device"], gives: 204)
                let till = try await Till(in: "demo-1", memory: "9999078900001234", of: programme)
                _ = try await till.sell([.milk(2), .chicken(1)], receipt: 1, card: vera.card)
                let told = try await eventually("the push has its span", within: .seconds(60)) {
                    collector.spans.first { $0.name == "process auth.notifications" && $0.hasWholeTree(in: collector) }
                }
                try Self.expectWay(of: told, in: collector)
            }
        }
    }

    /// From the notification up to the till's request, by the numbers of the parents.
    private static func expectWay(of told: TraceCollector.Span, in collector: TraceCollector) throws {
        var way = [told]
        while let parent = way.last?.parentSpanId {
            let above = collector.spans.first { $0.spanId == parent }
            way.append(try #require(above, "the parent of \(way.last?.name ?? "")"))
        }
        #expect(
            way.map { "\($0.service ?? ""): \($0.name)" } == [
                "club-auth: process auth.notifications",
                "club-auth: send auth.notifications",
                "club-auth: process auth.points",
                "club-ledger: publish ledger.points-earned",
                "club-ledger: process ledger.receipts",
                "club-promotions: send ledger.receipts",
                "club-promotions: POST /pos/v1/receipts",
            ])
        #expect(way.map(\.kind) == [5, 4, 5, 4, 5, 4, 2])
        #expect(Set(way.map(\.traceId)).count == 1)
        let starts = way.compactMap { UInt64($0.startTimeUnixNano) }
        #expect(starts == starts.sorted(by: >))
        #expect(way.last?.attribute("http.response.status_code") == "201")
        // The receipt comes back to promotions as posted: another branch of the same tree.
        #expect(
            collector.spans.contains { $0.name == "process promotions.events" && $0.traceId == told.traceId })
    }
}

extension TraceCollector.Span {
    /// Spans arrive service by service, in no order: whether all of its trace have.
    func hasWholeTree(in collector: TraceCollector) -> Bool {
        let names = Set(collector.spans.filter { $0.traceId == self.traceId }.map(\.name))
        return names.isSuperset(of: [
            "POST /pos/v1/receipts", "send ledger.receipts", "process ledger.receipts", "process promotions.events",
            "publish ledger.points-earned", "process auth.points", "send auth.notifications",
        ])
    }
}
