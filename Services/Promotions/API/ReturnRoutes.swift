import HTTPTypes
import Hummingbird
import JobQueue
import Kernel
import Logging
import Metrics
import Web

/// What tills call when goods come back.
struct ReturnRoutes: Sendable {
    private let accept: AcceptReturns
    private let accepted = Counter(label: "promotions_returns_total", dimensions: [("outcome", "accepted")])
    private let waiting = Counter(label: "promotions_returns_total", dimensions: [("outcome", "waiting")])
    private let refused = Counter(label: "promotions_returns_total", dimensions: [("outcome", "refused")])

    init(accept: AcceptReturns) {
        self.accept = accept
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("returns") { request, context in
            let till = Till(try context.requireTill())
            let body = try await StrictJSON.decode(ReturnBody.self, from: request, limit: TillRoutes.bodyBytesMax)
            let goods: TillReturn
            do throws(Violations) { goods = try body.parsed() } catch { throw Problem(error) }
            return try await self.answer(goods, from: till)
        }
        group.get("returns/:return") { _, context in
            let till = Till(try context.requireTill())
            guard let goods = try await self.accept.find(try context.id("return", of: GoodsReturn.self), for: till)
            else { throw Problem(ProblemKind.notFound) }
            return try Answer.json(ReturnAnswer(goods))
        }
    }

    /// One operation of a batch; what fails is said to be undecided, and spoils no other.
    func answer(_ goods: TillReturn, key: String, from till: Till) async -> BatchAnswer.Operation {
        do {
            let (known, isRepeated) = try await self.known(goods, from: till)
            return .init(key: key, known, isRepeated: isRepeated)
        } catch let problem as Problem {
            return .init(key: key, refused: problem)
        } catch {
            Logger.current.error("A return of a batch failed", metadata: ["error": "\(error)"])
            return .init(key: key, refused: Problem(ReceiptRefusal.undecided))
        }
    }

    private func answer(_ goods: TillReturn, from till: Till) async throws -> Answer {
        let (known, isRepeated) = try await self.known(goods, from: till)
        if isRepeated { return try .json(ReturnAnswer(known), headers: [.idempotentReplayed: "true"]) }
        return try .json(ReturnAnswer(known), status: known.state == .waiting ? .accepted : .created)
    }

    /// - Throws: ``Problem`` for what is refused, now or when its sale was there.
    private func known(_ goods: TillReturn, from till: Till) async throws -> (goods: GoodsReturn, isRepeated: Bool) {
        do {
            let (known, isRepeated) = try await self.accept(goods, from: till)
            if let code = known.refusal, let kind = ProblemKind.ofReturn(code) {
                self.refused.increment()
                throw Problem(kind, extensions: ["return": .text(known.id.description)])
            }
            if !isRepeated { (known.state == .waiting ? self.waiting : self.accepted).increment() }
            return (known, isRepeated)
        } catch let refusal as ReturnRefusal {
            self.refused.increment()
            throw Problem(refusal)
        }
    }
}
