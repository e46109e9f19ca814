import Kernel

/// For whom a gift is. Personal: sealed in the database.
struct GiftRecipient: Hashable, Sendable, Codable, Masked {
    /// How the gift reaches them.
    enum Way: String, Hashable, Sendable, Codable, CaseIterable {
        /// The buyer has it at once, to use or to print.
        case own = "self"
        case phone
        case email
    }

    let way: Way
    /// As the gift calls them.
    let name: String
    let phone: PhoneNumber?
    let email: EmailAddress?

    /// nil unless the address fits the way.
    init?(way: Way, name: String, phone: PhoneNumber?, email: EmailAddress?) {
        switch way {
        case .own: guard phone == nil, email == nil else { return nil }
        case .phone: guard phone != nil, email == nil else { return nil }
        case .email: guard phone == nil, email != nil else { return nil }
        }
        (self.way, self.name, self.phone, self.email) = (way, name, phone, email)
    }

    /// `+7 *** ***-**-67` or `a***@example.org`: what an SMS of confirmation and the buyer's list show.
    var hint: String {
        switch self.way {
        case .own: "себе"
        case .phone: self.phone?.description ?? ""
        case .email: self.email?.description ?? ""
        }
    }

    /// Always three stars.
    var description: String { "***" }
}
