import Contracts
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Transfers and the ledger's own daily work over the bus.
@Suite(.ledger) struct TransferBusTests {
    @Test func `transfers sent over the bus are answered one by one, refused ones as well`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let members = (0..<10).map { _ in books.member() }
        let thirty = try #require(Points(30))
        let sales = try members.map { Transfer.earn(try books.receipt(of: $0, [.of(50)])) }
        let holds = members.map { member in
            (0..<2).map { _ in
                Transfer.hold(
                    PlaceHold(
                        hold: books.ids.next(), member: member, points: thirty, purpose: .till, expiresInSeconds: 600))
            }
        }
        let senseless = Transfer.stickers(
            MoveStickers(id: books.transferID(), member: members[0], campaign: "plates", count: 0))
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            try await neighbour.send(sales)
            _ = try await neighbour.done.next(sales.count)
            try await neighbour.send(holds.flatMap { $0 } + [senseless])
            let done = try await neighbour.done.next(21)

            #expect(Set(done.map(\.transfer)) == Set(holds.flatMap { $0 } + [senseless]))
            #expect(done.filter { $0.outcome.refusal == .insufficientPoints }.count == 10)
            #expect(done.filter { $0.outcome.result?.available == Points(20) }.count == 10)
            #expect(done.first { $0.transfer == senseless }?.outcome.refusal == .nothing)
            let again = try await neighbour.bus.call(MakeTransfer(sales[0]), deadline: .seconds(30))
            #expect(again.result?.transaction == (try await books.feed(members[0]).last?.id))
        }
        #expect(try await books.findings().isEmpty)
    }

    /// Partners and funds are made known by other services, again and again.
    @Test func `accounts are opened by a call, once, and only for partners and funds`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let member = books.member()
        try await books.earn(100, for: member)
        let purpose = HoldPurpose.partner("air")
        let hold = PlaceHold(
            hold: books.ids.next(), member: member, points: try #require(Points(60)), purpose: purpose,
            expiresInSeconds: 60)
        let others = ["till", "partner", "partner:", "partner:a:b", "partner:Air", "charity:-", "bank:air"]
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            func open(_ purpose: HoldPurpose) async throws -> Bool {
                try await neighbour.bus.call(OpenPurpose(purpose: purpose), deadline: .seconds(30)).isOpen
            }
            for other in others { #expect(try await !open(HoldPurpose(rawValue: other)), "\(other)") }
            #expect(try await open(purpose))
            #expect(try await open(.charity("line-of-life")))
            let accounts = try await books.count("select count(*) from ledger.account where id >= 1000")
            #expect(try await open(purpose))
            #expect(try await books.count("select count(*) from ledger.account where id >= 1000") == accounts)
            #expect(try await neighbour.bus.call(hold, deadline: .seconds(30)).isPlaced)
        }
        #expect(
            try await books.count("select count(*) from ledger.hold_purpose where settled is not null") == 2)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `the nightly sweep and the reminders are jobs that run when they are told to`() async throws {
        let clock = ManualClock(try #require(Timestamp("2026-03-10T12:00:00Z")))
        let books = try await Books(clock)
        let member = books.member()
        try await books.earn(40, .promotional, for: member)
        // 30 days, to the end of April 9th by Moscow's calendar: April 2nd is seven days before.
        clock.set(to: try #require(Timestamp("2026-04-02T09:00:00Z")))
        let operators = QueueAdministration(books.owner)
        // The upkeep has its round at the start and not again, so that it is the job that does it.
        let settings = ["CLUB_LEDGER_UPKEEP_INTERVAL": "3600s"]
        try await Neighbour.make().beside([LedgerModule.self], settings: settings, clock: clock) { neighbour in
            try await eventually("the declaration", isTrue: { try await operators.periodicJobs().count == 2 })
            _ = try await operators.runPeriodicNow("ledger.remind-members", reason: "test")
            let told = try await neighbour.expiring.next()
            #expect(told.member == member)
            #expect(told.points == Points(40))
            #expect(told.daysBefore == 7)
            #expect(told.expiresAt == Timestamp("2026-04-09T21:00:00Z"))
            clock.set(to: told.expiresAt)
            _ = try await operators.runPeriodicNow("ledger.sweep-points", reason: "test")
            try await eventually(
                "the sweep",
                isTrue: { try await books.count("select count(*) from ledger.transaction where kind = 'expire'") == 1 })
        }
        #expect(try await books.findings().isEmpty)
    }
}
