import Kernel

/// Why something is not done about a gift.
enum GiftRefusal: Error, Hashable, Sendable {
    /// None of this member, or none that may be known of: unknown, blocked and foreign are the same.
    case unknown
    /// It stands where this cannot be done.
    case wrongState(CertificateState)
    /// A payment is under way: it is confirmed, dropped or lapses first.
    case paymentUnderWay
    /// Nobody has begun to pay.
    case notPaidFor
    /// More certificates or money than a member may give away in a day.
    case dayLimit
    /// In the past, or further ahead than gifts are kept.
    case deliveryTime
    /// The hour is at night, and nobody has said that it should be.
    case nightHour
    /// It is on its way, and nothing says that it does not arrive.
    case onItsWay
    /// Somebody has looked for certificates too often.
    case tooManyLookUps(until: Timestamp)
    /// Some of it is spent: only a whole one can be given back.
    case partlySpent
    /// Who asks for a refund cannot approve it.
    case samePerson
    /// Another refund of it is under way or decided.
    case refundDecided
    /// The file is no picture that can be read.
    case notAPicture
    /// This installation cannot do that: a program or library is missing.
    case unavailable
}

/// How long a certificate that points have bought is good for.
enum CertificateLifetime {
    static let days = 365
}
