public import Kernel

// The one way to tell a person something. auth does it, because it alone has phones, addresses and consents.

/// Tell somebody something. The same id again tells nothing twice.
public struct Notify: Command, Hashable {
    public static let name = "auth.notify"
    public static let queue: QueueName = "auth.notifications"
    public static let isConfidential = true

    /// Made by the sender.
    public let id: Notice.ID
    /// Whom.
    public let recipient: Recipient
    /// Why; decides which consents are needed, and whether quiet hours and caps hold it back.
    public let purpose: Purpose
    /// By which ways, the best first; the first that is possible and allowed is taken.
    public let channels: [Channel]
    /// What, in Russian and in English: the member's language decides.
    public let russian: Text
    /// The same in English.
    public let english: Text
    /// Not before this moment; nil: at once.
    public let notBefore: Timestamp?
    /// After this moment it is of no use any more.
    public let expiresAt: Timestamp?
    /// For e-mail: where answers go, and what it answers.
    public let mail: MailThread?
    /// true: the sender has chosen the hour by the recipient's own clock, so quiet hours hold nothing back.
    public let isHourChosen: Bool?

    /// Describes what is to be told.
    public init(
        id: Notice.ID, recipient: Recipient, purpose: Purpose, channels: [Channel], russian: Text, english: Text,
        notBefore: Timestamp? = nil, expiresAt: Timestamp? = nil, mail: MailThread? = nil, isHourChosen: Bool? = nil
    ) {
        (self.id, self.recipient, self.purpose, self.channels) = (id, recipient, purpose, channels)
        (self.russian, self.english) = (russian, english)
        (self.notBefore, self.expiresAt, self.mail) = (notBefore, expiresAt, mail)
        self.isHourChosen = isHourChosen
    }

    /// Whom to tell. One of the three is set.
    public struct Recipient: Codable, Hashable, Sendable {
        /// A member, at the phone, the verified address or the devices that auth knows.
        public let member: Member.ID?
        /// Somebody of whom only a phone is known, such as the recipient of a gift.
        public let phone: PhoneNumber?
        /// Somebody of whom only an address is known.
        public let email: EmailAddress?

        private init(member: Member.ID?, phone: PhoneNumber?, email: EmailAddress?) {
            (self.member, self.phone, self.email) = (member, phone, email)
        }

        /// A member.
        public static func member(_ id: Member.ID) -> Self { Self(member: id, phone: nil, email: nil) }
        /// A phone.
        public static func phone(_ phone: PhoneNumber) -> Self { Self(member: nil, phone: phone, email: nil) }
        /// An address.
        public static func email(_ email: EmailAddress) -> Self { Self(member: nil, phone: nil, email: email) }
    }

    /// Why somebody is told.
    public enum Purpose: String, Codable, Hashable, Sendable, CaseIterable {
        /// What the person asked for or must know: no consent, no cap; quiet hours hold back SMS only.
        case service
        /// Points that expire, prices that drop: by consent, outside of quiet hours, capped.
        case reminder
        /// Offers: by consent, outside of quiet hours, capped, with the way to stop.
        case advertising
        /// Something happened to the account's security: at once, whatever the hour.
        case security
    }

    /// A way to reach somebody.
    public enum Channel: String, Codable, Hashable, Sendable, CaseIterable { case sms, email, push }

    /// What is told.
    public struct Text: Codable, Hashable, Sendable {
        /// The subject of an e-mail, the title of a push.
        public let subject: String
        /// The text.
        public let body: String

        /// A text with its subject.
        public init(subject: String, body: String) { (self.subject, self.body) = (subject, body) }
    }

    /// What makes e-mails a conversation (RFC 5322, 3.6.4).
    public struct MailThread: Codable, Hashable, Sendable {
        /// Where answers go: an address that the sender has signed.
        public let replyTo: EmailAddress
        /// Names this message.
        public let messageID: String
        /// Names the message that it answers.
        public let inReplyTo: String?

        /// Describes a place in a conversation.
        public init(replyTo: EmailAddress, messageID: String, inReplyTo: String?) {
            (self.replyTo, self.messageID, self.inReplyTo) = (replyTo, messageID, inReplyTo)
        }
    }
}

/// What became of a notification. States only go forward; told at each change.
public struct NotificationMoved: Event, Hashable {
    public static let name = "auth.notification-moved"

    /// Which.
    public let id: Notice.ID
    /// How it stands.
    public let state: State
    /// By which way; nil while none is chosen or when none is possible.
    public let channel: Notify.Channel?
    /// Since when.
    public let at: Timestamp

    /// How a notification stands.
    public enum State: String, Codable, Hashable, Sendable {
        /// A gateway has taken it.
        case sent
        /// It has arrived, as far as the way can tell.
        case delivered
        /// It will not arrive.
        case undelivered
        /// It was not sent: no consent, a cap, or nowhere to send it.
        case suppressed
    }

    /// Says how a notification stands.
    public init(id: Notice.ID, state: State, channel: Notify.Channel?, at: Timestamp) {
        (self.id, self.state, self.channel, self.at) = (id, state, channel, at)
    }
}
