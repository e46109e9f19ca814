import Kernel

// What the routes of the support line and the shops' clerks read and write.

struct DraftRequest: Decodable, Sendable {
    let fullName: FullName
    let phone: PhoneNumber
}

struct DraftReply: Encodable, Sendable {
    let draft: Registration.ID
    let expiresAt: Timestamp
}

struct PaperFormRequest: Decodable, Sendable {
    let formNumber: String
    let store: StoreID
    let fullName: FullName
    let phone: PhoneNumber
    let birthday: Birthday
    let marketing: Bool
    let card: CardNumber?
    let isAnotherPerson: Bool?

    /// nil when the number of the form cannot be one.
    var form: EnterPaperForm.Form? {
        guard (1...32).contains(self.formNumber.utf8.count),
            self.formNumber.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        return EnterPaperForm.Form(
            number: self.formNumber, store: self.store, fullName: self.fullName, phone: self.phone,
            birthday: self.birthday, marketing: self.marketing, card: self.card,
            isAnotherPerson: self.isAnotherPerson ?? false)
    }
}

struct PaperFormReply: Encodable, Sendable {
    let member: Member.ID
    let card: CardNumber
    let confirmAt: Timestamp
}

struct CardBatchRequest: Decodable, Sendable {
    let batch: String
    let cards: [CardNumber]

    static let cardsMax = 1000

    /// Whether the database would take it.
    var isSane: Bool {
        (1...64).contains(self.batch.utf8.count) && self.batch.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            && (1...Self.cardsMax).contains(self.cards.count)
    }
}

struct CardBatchReply: Encodable, Sendable {
    let loaded: Int
}
