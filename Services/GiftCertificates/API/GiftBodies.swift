import Kernel
import Redemption
import Web

/// A gift as its giver describes it.
struct GiftBody: Decodable, Sendable {
    /// Kopecks.
    let value: Int64
    let design: DesignBody
    let recipient: RecipientBody
    let text: String?
    let from: String?
    let delivery: DeliveryBody?

    func parsed() throws(Problem) -> GiftOrder {
        guard let value = Kopecks(self.value).flatMap({ FaceValue($0) }) else {
            throw Problem(.invalidValueOfGift, at: "/value")
        }
        var words: GiftWords?
        if self.text != nil || self.from != nil {
            words = GiftWords(
                text: try Self.checked(
                    self.text, at: "/text", limit: GiftWords.textLimit, lines: GiftWords.linesLimit),
                from: try Self.checked(self.from, at: "/from", limit: GiftWords.nameLimit))
        }
        return GiftOrder(
            value: value, design: self.design.parsed(), recipient: try self.recipient.parsed(), words: words,
            wish: self.delivery?.wish ?? .atOnce)
    }

    /// - Throws: `text-refused` with the reason.
    static func checked(
        _ text: String?, at pointer: String, limit: Int, lines: Int = 1
    ) throws(Problem) -> String {
        guard let text, !text.isEmpty else { return "" }
        if let objection = Moderation.objection(to: text, limit: limit, lines: lines) {
            throw Problem(
                .textRefused, violations: [.init(pointer: pointer, code: "text-refused")],
                extensions: ["reason": .text(objection.rawValue)])
        }
        return text
    }
}

/// A template and its colours; those of the template unless said otherwise.
struct DesignBody: Decodable, Sendable {
    let template: GiftDesign.Template
    let background: Colour?
    let accent: Colour?

    func parsed() -> GiftDesign {
        let colours = self.template.colours
        return GiftDesign(
            template: self.template, background: self.background ?? colours.background,
            accent: self.accent ?? colours.accent)
    }
}

/// For whom.
struct RecipientBody: Decodable, Sendable {
    let way: GiftRecipient.Way
    let name: String
    let phone: PhoneNumber?
    let email: EmailAddress?

    func parsed() throws(Problem) -> GiftRecipient {
        let name = try GiftBody.checked(self.name, at: "/recipient/name", limit: GiftWords.nameLimit)
        guard !name.isEmpty,
            let recipient = GiftRecipient(way: self.way, name: name, phone: self.phone, email: self.email)
        else { throw Problem(.invalidRecipient, at: "/recipient") }
        return recipient
    }
}

/// When, by the clock on the recipient's wall.
struct DeliveryBody: Decodable, Sendable {
    let at: LocalMoment?
    let zone: RussianZone?
    let evenAtNight: Bool?

    var wish: DeliveryWish {
        DeliveryWish(at: self.at, zone: self.zone ?? .moscow, evenAtNight: self.evenAtNight ?? false)
    }
}

extension DeliveryWish {
    /// As soon as it is paid, in Moscow, and not at night.
    static let atOnce = DeliveryWish(at: nil, zone: .moscow, evenAtNight: false)
}

/// Another address for a gift.
struct ReaddressBody: Decodable, Sendable {
    let recipient: RecipientBody
    let delivery: DeliveryBody?
}

/// Whether a new code is wanted instead of the one that was sent.
struct CodeRequestBody: Decodable, Sendable {
    let again: Bool?
}

/// The code of the SMS.
struct ConfirmationBody: Decodable, Sendable {
    let code: String

    func parsed() throws(Problem) -> String {
        guard 1...16 ~= self.code.utf8.count, self.code.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            throw Problem(.codeRefused, at: "/code")
        }
        return self.code
    }
}

/// A certificate's code, or the end of its link.
struct ClaimBody: Decodable, Sendable {
    let code: String?
    let link: String?

    /// nil for a text that is no code and no link: it is counted and answered like an unknown one.
    func key() throws(Problem) -> ClaimGift.Key? {
        switch (self.code, self.link) {
        case (let code?, nil): return CertificateCode(code).map { .code($0) }
        case (nil, let link?): return GiftLink(link).map { .link($0) }
        default: throw Problem(.invalidValue, at: "", detail: "either code or link")
        }
    }
}

/// A certificate's code.
struct BalanceBody: Decodable, Sendable {
    let code: String
}

/// Why a colleague does something.
struct ReasonBody: Decodable, Sendable {
    let reason: String

    func parsed() throws(Problem) -> String {
        guard self.reason.utf8.count <= 2000, 1...500 ~= self.reason.unicodeScalars.count,
            self.reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw Problem(.invalidValue, at: "/reason", detail: "1 to 500 printable characters") }
        return self.reason
    }
}
