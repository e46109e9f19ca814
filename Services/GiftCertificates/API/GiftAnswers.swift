import Contracts
import Kernel
import Web

/// A certificate as its member sees it. Money in kopecks. The code is not in it.
struct CertificateAnswer: Encodable, Sendable {
    let id: GiftCertificate.ID
    let state: CertificateState
    let value: Kopecks
    let remaining: Kopecks
    /// What it costs, or has cost.
    let points: Points
    let funding: Funding
    let design: DesignAnswer
    let text: String?
    let from: String?
    /// Only the giver sees for whom it is.
    let recipient: RecipientAnswer?
    let delivery: DeliveryAnswer?
    let isBuyer: Bool
    let isHolder: Bool
    /// Whether the giver is paying for it now.
    let isPaymentUnderWay: Bool
    let deliveredAt: Timestamp?
    let undeliveredAt: Timestamp?
    let expiresAt: Timestamp?

    init(_ view: ShowGift.View) {
        let certificate = view.certificate
        (self.id, self.state) = (certificate.id, certificate.state)
        (self.value, self.remaining, self.points) = (certificate.faceValue, certificate.remaining, view.value.points)
        (self.funding, self.design) = (certificate.funding, DesignAnswer(certificate.design))
        (self.text, self.from) = (view.words?.text, view.words?.from)
        self.recipient = view.isBuyer ? view.recipient.map(RecipientAnswer.init) : nil
        self.delivery = view.isBuyer ? DeliveryAnswer(certificate) : nil
        (self.isBuyer, self.isHolder) = (view.isBuyer, view.seesCode)
        self.isPaymentUnderWay = view.isBuyer && certificate.state == .draft && certificate.payment != nil
        self.deliveredAt = certificate.deliveredAt
        self.undeliveredAt = view.isBuyer ? certificate.undeliveredAt : nil
        self.expiresAt = certificate.expiresAt
    }
}

/// How it looks.
struct DesignAnswer: Encodable, Sendable {
    let template: GiftDesign.Template
    let background: Colour
    let accent: Colour

    init(_ design: GiftDesign) {
        (self.template, self.background, self.accent) = (design.template, design.background, design.accent)
    }
}

/// For whom it is.
struct RecipientAnswer: Encodable, Sendable {
    let way: GiftRecipient.Way
    let name: String
    let phone: PhoneNumber?
    let email: EmailAddress?

    init(_ recipient: GiftRecipient) {
        (self.way, self.name) = (recipient.way, recipient.name)
        (self.phone, self.email) = (recipient.phone, recipient.email)
    }
}

/// When it arrives.
struct DeliveryAnswer: Encodable, Sendable {
    let at: LocalMoment?
    let zone: RussianZone
    let evenAtNight: Bool
    /// The moment that came of it, once it is paid.
    let dueAt: Timestamp?

    init(_ certificate: Certificate) {
        let wish = certificate.wish
        (self.at, self.zone, self.evenAtNight) = (wish.at, wish.zone, wish.evenAtNight)
        self.dueAt = certificate.deliverAt
    }
}

/// A template to choose.
struct TemplateAnswer: Encodable, Sendable {
    let template: GiftDesign.Template
    let name: String
    let nameEn: String
    let background: Colour
    let accent: Colour

    init(_ template: GiftDesign.Template) {
        (self.template, self.name, self.nameEn) = (template, template.names.russian, template.names.english)
        (self.background, self.accent) = (template.colours.background, template.colours.accent)
    }
}

/// A code by SMS is on its way.
struct PaymentAnswer: Encodable, Sendable {
    let points: Points
    let expiresAt: Timestamp?
    let resendAt: Timestamp?
}

/// The code of a certificate, for the one who may spend it.
struct CodeAnswer: Encodable, Sendable {
    let code: String
}

/// What is left on a certificate.
struct BalanceAnswer: Encodable, Sendable {
    let value: Kopecks
    let remaining: Kopecks
    let state: CertificateState
    let expiresAt: Timestamp?

    init(_ certificate: Certificate) {
        (self.value, self.remaining) = (certificate.faceValue, certificate.remaining)
        (self.state, self.expiresAt) = (certificate.state, certificate.expiresAt)
    }
}

/// A gift as the one sees it who follows the link. Nothing in it can be spent.
struct GiftAnswer: Encodable, Sendable {
    let value: Kopecks
    let name: String?
    let text: String?
    let from: String?
    let design: DesignAnswer
    let isClaimed: Bool

    init(_ view: ShowGift.View) {
        self.value = view.certificate.faceValue
        (self.name, self.text, self.from) = (view.recipient?.name, view.words?.text, view.words?.from)
        self.design = DesignAnswer(view.certificate.design)
        self.isClaimed = view.certificate.holder != nil
    }
}

/// A certificate as colleagues see it: no words, no address, no code.
struct StaffCertificateAnswer: Encodable, Sendable {
    let id: GiftCertificate.ID
    let buyer: Member.ID
    let holder: Member.ID?
    let state: CertificateState
    let blockedFrom: CertificateState?
    let value: Kopecks
    let remaining: Kopecks
    let held: Kopecks
    let funding: Funding
    let way: GiftRecipient.Way
    let deliverAt: Timestamp?
    let sentAt: Timestamp?
    let deliveredAt: Timestamp?
    let undeliveredAt: Timestamp?
    let expiresAt: Timestamp?
    let createdAt: Timestamp

    init(_ certificate: Certificate) {
        (self.id, self.buyer, self.holder) = (certificate.id, certificate.buyer, certificate.holder)
        (self.state, self.blockedFrom) = (certificate.state, certificate.blockedFrom)
        (self.value, self.remaining, self.held) = (certificate.faceValue, certificate.remaining, certificate.held)
        (self.funding, self.way) = (certificate.funding, certificate.way)
        (self.deliverAt, self.sentAt) = (certificate.deliverAt, certificate.sentAt)
        (self.deliveredAt, self.undeliveredAt) = (certificate.deliveredAt, certificate.undeliveredAt)
        (self.expiresAt, self.createdAt) = (certificate.expiresAt, certificate.createdAt)
    }
}
