import Kernel
import Web

/// A batch as everybody sees it. Money in kopecks; hash, signature and key in base64url.
struct BatchAnswer: Encodable, Sendable {
    let id: Batch.ID
    let fund: String
    /// `2026-11`
    let month: String
    let state: String
    let donations: Int64
    let points: Points
    let worth: Kopecks
    let match: Kopecks
    let total: Kopecks
    let fileSHA256: String
    /// Ed25519 over the bytes of the file.
    let signature: String
    let key: String
    let paidAt: Timestamp?
    let acknowledgement: String?
    let acknowledgedAt: Timestamp?

    init(_ batch: Batch) {
        (self.id, self.fund, self.state) = (batch.id, batch.fund, batch.state.rawValue)
        self.month = SettlementFile.text(of: batch.month)
        (self.donations, self.points) = (batch.donations, batch.points)
        (self.worth, self.match, self.total) = (batch.worth, batch.match, batch.total)
        self.fileSHA256 = Base64URL.encode(batch.fileHash)
        self.signature = Base64URL.encode(batch.signature)
        self.key = batch.key.id
        (self.paidAt, self.acknowledgement, self.acknowledgedAt) =
            (batch.paidAt, batch.acknowledgement, batch.acknowledgedAt)
    }
}

/// The same with what only colleagues see.
struct StaffBatchAnswer: Encodable, Sendable {
    let batch: BatchAnswer
    let maker: Staff.ID?
    let checker: Staff.ID?
    /// What the ledger has paid, where it is not what the file says.
    let paid: Kopecks?
    let refusal: String?

    init(_ batch: Batch) {
        self.batch = BatchAnswer(batch)
        (self.maker, self.checker, self.paid, self.refusal) = (batch.maker, batch.checker, batch.paid, batch.refusal)
    }
}

/// A public key that settlement files are signed with.
struct KeyAnswer: Encodable, Sendable {
    let id: String
    let algorithm = "Ed25519"
    /// 32 bytes in base64url.
    let publicKey: String
    let isCurrent: Bool
}

/// Which month of which fund.
struct PrepareBody: Decodable, Sendable {
    let fund: String
    let month: String

    func parsed() throws(Problem) -> (fund: String, month: CivilDate) {
        let parts = self.month.split(separator: "-", omittingEmptySubsequences: false)
        guard self.month.utf8.count == 7, parts.count == 2, let year = Int64(parts[0]), let number = Int64(parts[1]),
            year >= 2000, let month = CivilDate(year: year, month: number, day: 1)
        else { throw Problem(.invalidValue, at: "/month", detail: "a month is written as 2026-11") }
        return (self.fund, month)
    }
}

/// Under which number the fund has confirmed the receipt.
struct AcknowledgeBody: Decodable, Sendable {
    let number: String

    func parsed() throws(Problem) -> String {
        guard 1...64 ~= self.number.count, self.number.utf8.count <= 256,
            self.number.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw Problem(.invalidValue, at: "/number", detail: "1 to 64 characters") }
        return self.number
    }
}

/// A fund to be added.
struct FundBody: Decodable, Sendable {
    let id: String
    let name: String
    let nameEn: String
    let about: String
    let aboutEn: String

    func parsed() throws(Problem) -> Fund {
        let isName =
            1...32 ~= self.id.utf8.count && self.id.utf8.first != UInt8(ascii: "-")
            && self.id.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") }
        guard isName else { throw Problem(.invalidValue, at: "/id", detail: "small letters, digits and hyphens") }
        for (pointer, text, limit) in [
            ("/name", self.name, 80), ("/nameEn", self.nameEn, 80), ("/about", self.about, 1000),
            ("/aboutEn", self.aboutEn, 1000),
        ] where !Self.isFine(text, limit) {
            throw Problem(.invalidValue, at: pointer, detail: "1 to \(limit) printable characters")
        }
        return Fund(
            id: self.id, name: self.name, englishName: self.nameEn, about: self.about, englishAbout: self.aboutEn,
            openedAt: nil)
    }

    static func isFine(_ text: String, _ limit: Int) -> Bool {
        text.utf8.count <= limit * 4 && 1...limit ~= text.unicodeScalars.count
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}

/// A campaign to be added. Money in kopecks.
struct CampaignBody: Decodable, Sendable {
    let fund: String
    let title: String
    let titleEn: String
    let beginsAt: Timestamp
    let endsAt: Timestamp?
    let matchBudget: Int64

    /// - Parameter fund: the fund that it names.
    func parsed(id: Campaign.ID, fund: Fund) throws(Problem) -> Campaign {
        for (pointer, text) in [("/title", self.title), ("/titleEn", self.titleEn)] where !FundBody.isFine(text, 120) {
            throw Problem(.invalidValue, at: pointer, detail: "1 to 120 printable characters")
        }
        guard let budget = Kopecks(self.matchBudget), self.matchBudget <= 100_000_000_000 else {
            throw Problem(.invalidValue, at: "/matchBudget", detail: "kopecks from 0 to a billion roubles")
        }
        guard self.endsAt.map({ self.beginsAt < $0 }) ?? true else {
            throw Problem(.invalidValue, at: "/endsAt", detail: "after beginsAt")
        }
        return Campaign(
            id: id, fund: fund, title: self.title, englishTitle: self.titleEn, beginsAt: self.beginsAt,
            endsAt: self.endsAt, matchBudget: budget, matchLeft: budget)
    }
}
