import Contracts
import JobQueue
import Kernel
import Postgres

/// Says what became of a receipt and why it earned what it did. Of a receipt of somebody else nothing more is told than
/// that it is.
struct OnExplainReceipt: Sendable {
    private let history = HistoryStore()

    func callAsFunction(
        _ call: ExplainReceipt, in transaction: borrowing Transaction
    ) async throws -> ExplainReceipt.Reply {
        guard let known = try await self.history.known(call.fiscal, in: transaction) else {
            return ExplainReceipt.Reply(finding: .unknown, receipt: nil, points: nil, isPosted: false, reasons: [])
        }
        guard known.member == call.member else {
            return ExplainReceipt.Reply(finding: .foreign, receipt: nil, points: nil, isPosted: false, reasons: [])
        }
        return ExplainReceipt.Reply(
            finding: .credited, receipt: known.answer.receipt, points: known.answer.points, isPosted: known.isPosted,
            reasons: known.answer.lines.map(\.explanation))
    }
}

extension LineResult {
    /// For a person who wonders, in Russian.
    var explanation: String {
        let reasons = self.reasons.map { reason in
            switch reason.code {
            case .earned: "\(reason.points?.amount ?? 0) по правилу «\(reason.rule)»"
            case .excluded: "не участвует в начислении («\(reason.rule)»)"
            case .refused: reason.text ?? "не участвует («\(reason.rule)»)"
            case .limited: "исчерпан лимит правила «\(reason.rule)»"
            case .discounted: "цена по правилу «\(reason.rule)»"
            }
        }
        let why = reasons.isEmpty ? "ни одно правило не подошло" : reasons.joined(separator: "; ")
        return "Позиция \(self.position): баллов \(self.points.amount) — \(why)"
    }
}
