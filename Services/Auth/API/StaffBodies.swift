import FoundationEssentials
import Kernel
import Web

// What the routes of colleagues read and write.

/// A text that must not be seen in logs.
struct HiddenText: Decodable, Masked, Sendable {
    let text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.utf8.count <= 512 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "at most 512 bytes")
        }
        self.text = text
    }

    var secret: Secret { Secret(self.text) }
    var description: String { "***" }
}

struct StaffLoginRequest: Decodable, Sendable {
    let login: String
    let password: HiddenText
    let code: HiddenText
}

struct StaffTokensReply: Encodable, Sendable {
    let tokenType = "Bearer"
    let staff: Staff.ID
    let roles: [StaffRole]
    let accessToken: String
    let accessExpiresAt: Timestamp
    let refreshToken: String
    let refreshExpiresAt: Timestamp

    init(_ tokens: StaffTokens) {
        self.staff = tokens.staff
        self.roles = tokens.roles.sorted { $0.rawValue < $1.rawValue }
        self.accessToken = tokens.access.text
        self.accessExpiresAt = tokens.access.expiresAt
        self.refreshToken = tokens.refreshToken.reveal()
        self.refreshExpiresAt = tokens.refreshExpiresAt
    }
}

struct StaffPasswordRequest: Decodable, Sendable {
    let current: HiddenText
    let code: HiddenText
    let new: HiddenText
}

struct ColleaguesReply: Encodable, Sendable {
    let items: [Colleague]

    struct Colleague: Encodable, Sendable {
        let id: Staff.ID
        let login: String
        let name: String
        let active: Bool
        let roles: [StaffRole]
        let proposed: [StaffRole]
        let addedAt: Timestamp
    }

    init(_ members: [StaffMember]) {
        self.items = members.map {
            Colleague(
                id: $0.id, login: $0.login, name: $0.name, active: $0.isActive, roles: $0.roles,
                proposed: $0.proposed, addedAt: $0.addedAt)
        }
    }
}

struct RoleProposal: Decodable, Sendable {
    let staff: Staff.ID
    let role: StaffRole
}

struct RoleProposalReply: Encodable, Sendable {
    let change: Identifier<RoleChange>
}

struct RoleChangesReply: Encodable, Sendable {
    let items: [Change]

    struct Change: Encodable, Sendable {
        let change: Identifier<RoleChange>
        let staff: Staff.ID
        let login: String
        let role: StaffRole
        let maker: Staff.ID?
        let madeAt: Timestamp
    }

    init(_ changes: [RoleChange]) {
        self.items = changes.map {
            Change(
                change: Identifier($0.id), staff: $0.staff, login: $0.login, role: $0.role, maker: $0.maker,
                madeAt: $0.madeAt)
        }
    }
}

struct RoleDecision: Decodable, Sendable {
    let approved: Bool
}

struct MemberLookUpRequest: Decodable, Sendable {
    let phone: PhoneNumber?
    let card: CardNumber?
    let member: Member.ID?
    let reason: String

    /// What is looked up by; nil unless exactly one is given.
    var key: LookUpMember.Key? {
        switch (self.phone, self.card, self.member) {
        case (let phone?, nil, nil): .phone(phone)
        case (nil, let card?, nil): .card(card)
        case (nil, nil, let member?): .member(member)
        default: nil
        }
    }
}

struct MemberSeenReply: Encodable, Sendable {
    let member: Member.ID
    let state: String
    let name: String?
    let phone: String?
    let cardEnd: String?
    let registeredAt: Timestamp

    init(_ seen: LookUpMember.Seen) {
        self.member = seen.member
        self.state = seen.state
        self.name = seen.name
        self.phone = seen.phone
        self.cardEnd = seen.card
        self.registeredAt = seen.registeredAt
    }
}

struct AccessLogItem: Encodable, Sendable {
    let at: Timestamp
    let staff: Staff.ID
    let login: String
    let member: Member.ID
    let what: String
    let reason: String

    init(_ entry: AccessLogStore.Entry) {
        (self.at, self.staff, self.login) = (entry.at, entry.staff, entry.login)
        (self.member, self.what, self.reason) = (entry.member, entry.what, entry.reason)
    }
}
