internal import Contracts
internal import Kernel
internal import Postgres

/// Opens the accounts of a partner or a charity fund, so that holds for it can be placed. Again: nothing changes.
struct OpenAccounts: Sendable {
    private let store = TransferStore()

    /// - Returns: whether the purpose has accounts of its own now; false for any other purpose, and for a code that no
    ///   account can be named after.
    func callAsFunction(_ call: OpenPurpose, in transaction: borrowing Transaction) async throws -> OpenPurpose.Reply {
        let parts = call.purpose.rawValue.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Self.isCode(parts[1]) else { return OpenPurpose.Reply(isOpen: false) }
        switch parts[0] {
        case "partner": _ = try await self.store.openPartner(parts[1], in: transaction)
        case "charity": _ = try await self.store.openFund(parts[1], in: transaction)
        default: return OpenPurpose.Reply(isOpen: false)
        }
        return OpenPurpose.Reply(isOpen: true)
    }

    /// What the table of purposes accepts: lower-case letters, digits and hyphens, 1 to 32 of them, no hyphen first.
    private static func isCode(_ text: String) -> Bool {
        let letters = text.utf8
        return 1...32 ~= letters.count && letters.first != UInt8(ascii: "-")
            && letters.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
    }
}
