import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// Asks a member for a code before one of auth's own actions, and does the action when the code comes.
struct ConfirmAction: Sendable {
    let database: Database
    let ids: IDGenerator
    let send: SendStepUp
    let check: CheckStepUp

    /// A code that is on its way; its id names the action when the code comes.
    struct Asked: Sendable {
        let id: StepUp.ID
        let expiresAt: Timestamp
        let resendAt: Timestamp?
    }

    func ask(_ subject: StepUpSubject, of member: Member.ID) async throws -> Result<Asked, StepUpRefusal> {
        try await self.database.transaction { transaction in
            try await self.ask(subject, of: member, in: transaction)
        }
    }

    func ask(
        _ subject: StepUpSubject, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> Result<Asked, StepUpRefusal> {
        let id: StepUp.ID = self.ids.next()
        return try await self.send(id, of: member, subject, in: transaction).map { issued in
            Asked(id: id, expiresAt: issued.expiresAt, resendAt: issued.resendAt)
        }
    }

    /// Does what a right code allows, once: the code is used up in the transaction of the deed.
    /// - Returns: nil, with nothing done, for a code that is wrong, lapsed, used, unknown or for something else.
    func callAsFunction<R: Sendable>(
        _ id: StepUp.ID, _ subject: StepUpSubject, of member: Member.ID, code: String,
        _ deed: (borrowing Transaction) async throws -> R
    ) async throws -> R? {
        guard try await self.check(id, of: member, subject, code: code) else { return nil }
        return try await self.database.transaction { transaction -> R? in
            guard try await self.check.use(id, in: transaction) else { return nil }
            return try await deed(transaction)
        }
    }
}

extension StepUpSubject {
    static let newCard = StepUpSubject(action: .newCard, amount: nil, unit: nil, target: "")
    static let unlockSpending = StepUpSubject(action: .unlockSpending, amount: nil, unit: nil, target: "")
    static let erasure = StepUpSubject(action: .erasure, amount: nil, unit: nil, target: "")

    /// Names the new phone by its last digits: the message goes to the old one.
    static func phoneChange(to phone: PhoneNumber) -> StepUpSubject {
        StepUpSubject(action: .phoneChange, amount: nil, unit: nil, target: "+7…\(phone.e164.suffix(4))")
    }
}
