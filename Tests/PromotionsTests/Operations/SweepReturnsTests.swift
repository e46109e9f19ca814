import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

/// Returns that wait although nobody will come back to them.
@Suite(.promotionsDatabase, .capturedLogs) struct SweepReturnsTests {
    /// A return as it stands when its process ends after the first of its two transactions.
    private func abandon(_ document: Int64, sale: Int64, in world: TillWorld) async throws -> GoodsReturn.ID {
        let id: GoodsReturn.ID = IDGenerator.uuidV7(clock: world.clock, random: .system).next()
        let line = TillReturn.Line(position: 2, quantity: try #require(Quantity(thousandths: 500)))
        let goods = TillReturn(
            fiscal: try #require(FiscalID(fn: "9999078900000001", fd: document, fpd: 7)), sale: Make.fiscal(sale),
            store: TillWorld.store("1"), at: Make.noon, lines: [line])
        let new = GoodsReturn(
            id: id, goods: goods, till: "till1", fingerprint: goods.fingerprint, state: .waiting, shares: [nil])
        let isNew = try await world.database.transaction { transaction in
            try await ReturnStore().insert(new, at: world.clock.now, in: transaction)
        }
        #expect(isNew)
        return id
    }

    private func state(_ id: GoodsReturn.ID, in world: TillWorld) async throws -> (GoodsReturn.State, String?)? {
        try await ReturnStore().find(id, in: world.database).map { ($0.state, $0.refusal) }
    }

    @Test func `a return whose sale is in the books is settled by the sweep, once, and one whose sale is not waits`()
        async throws
    {
        let world = try await TillWorld()
        let sweep = world.parts.sweepReturns
        _ = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        let mine = try await self.abandon(9001, sale: 4711, in: world)
        let strange = try await self.abandon(9002, sale: 99, in: world)
        #expect(try await sweep() == 0, "the receipt is not in the books yet")
        try await world.owner.execute("update promotions.receipt set posted_at = \(Make.noon)")
        // Two processes sweep at the same time.
        async let first = sweep()
        async let second = sweep()
        _ = try await (first, second)
        #expect(try await self.state(mine, in: world)?.0 == .posting)
        #expect(try await self.state(strange, in: world)?.0 == .waiting)
        let sent = try await world.count(
            "select count(*) from queue.job join queue.queue on queue.id = queue_id where name = 'ledger.transfers'")
        #expect(sent == 1)
        #expect(try await sweep() == 0)
    }

    @Test func `a return whose sale can no longer come is refused, and its till is told why`() async throws {
        let world = try await TillWorld()
        let id = try await self.abandon(9002, sale: 99, in: world)
        world.clock.advance(by: SweepReturns.patience)
        #expect(try await world.parts.sweepReturns() == 0)
        world.clock.advance(by: .seconds(1))
        #expect(try await world.parts.sweepReturns() == 1)
        let told = try await self.state(id, in: world)
        #expect(told?.0 == .refused && told?.1 == "unknown-sale")
    }
}
