import Contracts
import JobQueue
import Kernel
import Postgres

/// Brings waiting returns to the books, once their sale is there. What a line earned was decided by the ruleset of its
/// sale and is kept with it; a return takes its share of that back, whatever the rules are now.
struct SettleReturns: Sendable {
    private let bus: Bus
    private let takeBack: TakeBackExtras
    private let store = ReturnStore()

    init(bus: Bus, takeBack: TakeBackExtras) {
        (self.bus, self.takeBack) = (bus, takeBack)
    }

    /// Sends a return to the books, or refuses it, or leaves it waiting.
    ///
    /// The sale is locked first, so that returns of one sale follow each other.
    func callAsFunction(_ id: GoodsReturn.ID, in transaction: borrowing Transaction) async throws {
        guard let waiting = try await self.store.find(id, in: transaction), waiting.state == .waiting,
            let sold = try await self.store.lockSale(waiting.goods.sale, in: transaction), sold.isPosted
        else { return }
        let lines = try await self.store.lines(of: sold, in: transaction)
        var goods = waiting
        do throws(ReturnRefusal) {
            goods.shares = try goods.goods.lines.map { line throws(ReturnRefusal) in
                guard let sold = lines.first(where: { $0.position == line.position }) else {
                    throw .unknownLine(line.position)
                }
                return try sold.share(of: line.quantity)
            }
            goods.state = .posting
        } catch {
            (goods.state, goods.refusal) = (.refused, error.code)
        }
        let transfer = goods.state == .posting ? goods.transfer(of: sold, lines) : nil
        if goods.state == .posting, transfer == nil {
            // Lines that cost nothing: there is nothing to take or to give.
            (goods.state, goods.clawedBack, goods.restored) = (.done, .zero, .zero)
        }
        guard try await self.store.settle(goods, of: sold, in: transaction) else { return }
        guard var transfer else {
            if goods.state == .done { try await self.takeBack([sold.receipt], in: transaction) }
            return
        }
        transfer.holds = try await self.store.payments(of: sold.receipt, in: transaction)
        try await self.bus.send(PostTransfer(.return(transfer.goods)), in: transaction)
    }
}

extension GoodsReturn {
    /// What the books are asked for; nil when nothing that cost something came back.
    fileprivate func transfer(of sold: ReturnStore.Sold, _ lines: [SoldLine]) -> ReturnTransfer? {
        var returned: [ReturnGoods.Returned] = []
        for (line, share) in zip(self.goods.lines, self.shares) {
            guard let share, share.amount > .zero,
                let place = lines.firstIndex(where: { $0.position == line.position })
            else { continue }
            returned.append(ReturnGoods.Returned(line: Int32(place + 1), sum: share.amount))
        }
        guard !returned.isEmpty else { return nil }
        return ReturnTransfer(
            id: LedgerTransfer.ID(self.id.raw), sold: sold,
            lines: lines.map { ReturnGoods.Line(sum: Kopecks($0.amount) ?? .zero, earned: Points($0.points)) },
            returned: returned, at: self.goods.at)
    }
}

private struct ReturnTransfer {
    let id: LedgerTransfer.ID
    let sold: ReturnStore.Sold
    let lines: [ReturnGoods.Line]
    let returned: [ReturnGoods.Returned]
    let at: Timestamp
    var holds: [Hold.ID] = []

    var goods: ReturnGoods {
        ReturnGoods(
            id: self.id, member: self.sold.member, receipt: self.sold.receipt, lines: self.lines, holds: self.holds,
            returned: self.returned, effectiveAt: self.at)
    }
}
