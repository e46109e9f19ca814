public import Kernel

// What anybody may ask of auth.

/// Whose card is it?
public struct ResolveCard: Call, Hashable {
    public static let name = "auth.resolve-card"
    public static let queue: QueueName = "auth.calls"
    public static let durability = CallDurability.volatile

    /// The card in question.
    public let card: CardNumber

    /// Asks for the holder of `card`.
    public init(card: CardNumber) {
        self.card = card
    }

    /// The holder, if there is one.
    public struct Reply: Codable, Hashable, Sendable {
        /// nil for a card that was never issued.
        public let member: Member.ID?

        /// Answers with the holder.
        public init(member: Member.ID?) {
            self.member = member
        }
    }
}

/// What is known of an API key?
public struct ResolveTillKey: Call, Hashable {
    public static let name = "auth.resolve-till-key"
    public static let queue: QueueName = "auth.calls"
    public static let durability = CallDurability.volatile

    /// The part of the key that is no secret.
    public let id: String

    /// Asks for the key `id`.
    public init(id: String) {
        self.id = id
    }

    /// The key, if there is one.
    public struct Reply: Codable, Hashable, Sendable {
        /// nil for a key that was never made.
        public let key: TillKeyRecord?

        /// Answers with the key.
        public init(key: TillKeyRecord?) {
            self.key = key
        }
    }
}

/// With which public keys are access tokens to be verified?
public struct FetchSigningKeys: Call, Hashable {
    public static let name = "auth.fetch-signing-keys"
    public static let queue: QueueName = "auth.calls"
    public static let durability = CallDurability.volatile

    /// Asks for all keys that a valid token may be signed with.
    public init() {}

    /// The public keys.
    public struct Reply: Codable, Hashable, Sendable {
        /// A JSON Web Key Set (RFC 7517), as `/.well-known/jwks.json` serves it.
        public let jwks: String

        /// Answers with a key set.
        public init(jwks: String) {
            self.jwks = jwks
        }
    }
}

/// Make members of people that another system knows. Asking twice with the same references makes nobody twice.
public struct EnrolMembers: Call, Hashable {
    public static let name = "auth.enrol-members"
    /// A queue of its own, because it carries names and phones and so is encrypted.
    public static let queue: QueueName = "auth.enrolments"
    /// Also before auth has declared its queue for the first time.
    public static let isConfidential = true

    /// The people, at most 1000.
    public let members: [Person]

    /// Asks to enrol `members`.
    public init(members: [Person]) {
        self.members = members
    }

    /// Somebody to be enrolled.
    public struct Person: Codable, Hashable, Sendable {
        /// What the other system calls the person; the natural key of the enrolment.
        public let reference: String
        /// The person's name.
        public let fullName: FullName
        /// The phone to log in with.
        public let phone: PhoneNumber

        /// Describes a person.
        public init(reference: String, fullName: FullName, phone: PhoneNumber) {
            self.reference = reference
            self.fullName = fullName
            self.phone = phone
        }
    }

    /// Everybody who was asked for, in the order of asking.
    public struct Reply: Codable, Hashable, Sendable {
        /// One for each person of the call.
        public let members: [EnrolledMember]

        /// Answers with the members.
        public init(members: [EnrolledMember]) {
            self.members = members
        }
    }
}

/// Which members were enrolled under references that begin with a prefix? Answered in pages.
public struct ListReferences: Call, Hashable {
    public static let name = "auth.list-references"
    public static let queue: QueueName = "auth.calls"
    public static let durability = CallDurability.volatile

    /// What the references begin with; empty for all.
    public let prefix: String
    /// The last reference of the page before; nil for the first page.
    public let after: String?
    /// The size of a page, 1…1000.
    public let limit: Int

    /// Asks for one page.
    public init(prefix: String, after: String?, limit: Int) {
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }

    /// One page.
    public struct Reply: Codable, Hashable, Sendable {
        /// Ordered by the bytes of the reference; fewer than `limit` on the last page.
        public let members: [EnrolledMember]

        /// Answers with a page.
        public init(members: [EnrolledMember]) {
            self.members = members
        }
    }
}

/// A member that another system knows by a reference.
public struct EnrolledMember: Codable, Hashable, Sendable {
    /// What the other system calls the person.
    public let reference: String
    /// Who it is here.
    public let member: Member.ID
    /// The member's card.
    public let card: CardNumber

    /// Describes a member.
    public init(reference: String, member: Member.ID, card: CardNumber) {
        self.reference = reference
        self.member = member
        self.card = card
    }
}
