import Contracts
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The whole service over the bus: another service sends receipts and calls, and hears what became of them.
@Suite(.ledger) struct BusTests {
    @Test func `receipts sent over the bus are posted, and each new one is told of once`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let members = (0..<20).map { _ in books.member() }
        let receipts = try (0..<300).map { try books.receipt(of: members[$0 % 20], [.of(Int64($0 % 3))]) }
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            try await neighbour.send(receipts + receipts.prefix(50))
            let heard = try await neighbour.heard.next(300)

            #expect(Set(heard.map(\.receipt)) == Set(receipts.map(\.receipt)))
            #expect(heard.reduce(0) { $0 + $1.points.amount } == 300)
            let event = try #require(heard.first { $0.receipt == receipts[1].receipt })
            #expect(event.member == receipts[1].member)
            #expect(event.effectiveAt == receipts[1].effectiveAt)
            let line = try #require(try await books.account.transaction(event.transaction, of: event.member))
            #expect(line.recordedAt == event.recordedAt)
        }
        #expect(try await books.count("select count(*) from ledger.receipt") == 300)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a hold is placed, captured and voided by calls`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let member = books.member()
        try await books.earn(100, for: member)
        let (first, second) = (books.ids.next(Hold.self), books.ids.next(Hold.self))
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            func place(_ hold: Hold.ID, _ points: Int64) async throws -> PlaceHold.Reply {
                try await neighbour.bus.call(
                    PlaceHold(
                        hold: hold, member: member, points: try #require(Points(points)), purpose: .till,
                        expiresInSeconds: 60), deadline: .seconds(30))
            }
            #expect(try await place(first, 60).isPlaced)
            #expect(try await place(second, 60) == .refused(.insufficientPoints, available: Points(40)))
            let captured = try await neighbour.bus.call(
                CaptureHold(hold: first, member: member, points: Points(45)), deadline: .seconds(30))
            #expect(captured.isCaptured)
            let voided = try await neighbour.bus.call(VoidHold(hold: first, member: member), deadline: .seconds(30))
            #expect(voided == .refused(.holdCaptured))
        }
        #expect(try await books.available(member) == 55)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `the running service gives back what is held too long, and makes the months that come`() async throws {
        let clock = ManualClock(SystemClock().now)
        let books = try await Books(clock)
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.place(books.ids.next(), 60, for: member)
        let partitions: SQL = "select count(*) from pg_inherits where inhparent = 'ledger.posting'::regclass"
        let before = try await books.count(partitions)
        clock.advance(by: .seconds(23 * 30 * 86_400))
        let settings = ["CLUB_LEDGER_UPKEEP_INTERVAL": "1s"]
        try await ServiceWorld.run([LedgerModule.self], settings: settings, clock: clock) { _ in
            try await eventually(
                "the hold's end", isTrue: { try await books.account.balance(of: member).held == .zero })
            // What came back from the hold has expired meanwhile: the same upkeep writes it off.
            try await eventually("books in order", isTrue: { try await books.findings().isEmpty })
        }
        #expect(try await books.count(partitions) > before)
    }

    /// One bad receipt must not hold up the others: it is refused, kept and logged, and the job is done.
    @Test func `a receipt with other content does not come back as a failed job`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(10)])
        let forged = try books.receipt(of: member, [.of(1000)], id: receipt.receipt)
        let after = try books.receipt(of: member, [.of(1)])
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            try await neighbour.send([receipt])
            _ = try await neighbour.heard.next()
            try await neighbour.send([forged, after])
            #expect(try await neighbour.heard.next().receipt == after.receipt)
        }
        #expect(try await books.available(member) == 11)
        #expect(try await books.count("select count(*) from ledger.refused_receipt") == 1)
        #expect(try await books.findings().isEmpty)
    }
}
