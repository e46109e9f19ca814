import HTTPTypes
import Hummingbird
import Kernel
import Metrics
import Web

/// What tills call: receipts, quotes, and what they gathered while they were offline.
struct TillRoutes: Sendable {
    /// Bytes of a body: ten thousand lines are read, so that they are refused as lines; five megabytes are not.
    static let bodyBytesMax = 4 * 1024 * 1024
    /// Receipts that arrive while so many transactions run are stored together, so many at a time.
    private static let transactionsMax = 3
    private static let receiptsMax = 32
    private static let waitingMax = 2000

    private let accept: Gatherer<AcceptReceipts.Delivery, Result<AcceptReceipts.Acceptance, ReceiptRefusal>>
    private let acceptBatch: AcceptBatch
    private let returns: ReturnRoutes
    private let quote: QuoteSale
    private let accepted = Counter(label: "promotions_receipts_total", dimensions: [("outcome", "accepted")])
    private let repeated = Counter(label: "promotions_receipts_total", dimensions: [("outcome", "repeated")])
    private let refused = Counter(label: "promotions_receipts_total", dimensions: [("outcome", "refused")])

    init(accept: AcceptReceipts, acceptBatch: AcceptBatch, returns: ReturnRoutes, quote: QuoteSale) {
        self.accept = Gatherer(
            width: Self.transactionsMax, sizeMax: Self.receiptsMax, waitingMax: Self.waitingMax
        ) { try await accept($0) }
        (self.acceptBatch, self.returns, self.quote) = (acceptBatch, returns, quote)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("receipts") { request, context in
            let till = Till(try context.requireTill())
            let body = try await StrictJSON.decode(ReceiptBody.self, from: request, limit: Self.bodyBytesMax)
            return try await self.acceptReceipt(body, from: till)
        }
        group.post("quotes") { request, context in
            let till = Till(try context.requireTill())
            let body = try await StrictJSON.decode(QuoteBody.self, from: request, limit: Self.bodyBytesMax)
            return try await self.quoteSale(body, from: till)
        }
        group.post("batch") { request, context in
            let till = Till(try context.requireTill())
            let body = try await StrictJSON.decode(BatchBody.self, from: request, limit: Self.bodyBytesMax)
            return try await self.acceptBatch(body, from: till)
        }
    }

    private func acceptReceipt(_ body: ReceiptBody, from till: Till) async throws -> Answer {
        let outcome = try await self.accept(.init(receipt: try body.parsedOrProblem(), till: till))
        self.count(outcome)
        switch outcome {
        case .success(.accepted(let answer)):
            return try .json(answer, status: .created)
        case .success(.repeated(let answer)):
            return try .json(answer, headers: [.idempotentReplayed: "true"])
        case .failure(let refusal):
            throw Problem(refusal)
        }
    }

    private func quoteSale(_ body: QuoteBody, from till: Till) async throws -> Answer {
        let sale: Sale
        do throws(Violations) { sale = try body.parsed() } catch { throw Problem(error) }
        switch try await self.quote(sale, from: till) {
        case .success(let evaluation): return try .json(QuoteAnswer(evaluation))
        case .failure(let refusal): throw Problem(refusal)
        }
    }

    private func acceptBatch(_ body: BatchBody, from till: Till) async throws -> Answer {
        let operations: [BatchOperation]
        do throws(Violations) { operations = try body.parsed() } catch { throw Problem(error) }
        var outcomes = try await self.acceptBatch(operations.compactMap(\.receipt), from: till).makeIterator()
        var answers: [BatchAnswer.Operation] = []
        // Returns after all receipts: one of a receipt of the same batch finds it.
        for (index, operation) in operations.enumerated() {
            switch operation.content {
            case .failure(let violations):
                self.refused.increment()
                answers.append(.init(key: operation.key, refused: Problem(violations)))
            case .success(.receipt):
                let outcome = outcomes.next() ?? .failure(.undecided)
                self.count(outcome)
                answers.append(.init(key: operation.key, outcome, at: "/operations/\(index)/receipt"))
            case .success(.return(let goods)):
                answers.append(await self.returns.answer(goods, key: operation.key, from: till))
            }
        }
        return try .json(BatchAnswer(operations: answers))
    }

    private func count(_ outcome: Result<AcceptReceipts.Acceptance, ReceiptRefusal>) {
        switch outcome {
        case .success(.accepted): self.accepted.increment()
        case .success(.repeated): self.repeated.increment()
        case .failure: self.refused.increment()
        }
    }
}

extension ReceiptBody {
    fileprivate func parsedOrProblem() throws -> TillReceipt {
        do throws(Violations) { return try self.parsed() } catch { throw Problem(error) }
    }
}

extension Till {
    /// The till as its key describes it.
    init(_ key: TillKey) {
        self.init(key: key.id, store: key.store, mayImport: key.scopes.contains("import"))
    }
}
