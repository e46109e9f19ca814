/// In which language a member is written to.
enum MemberLanguage: String, Codable, Hashable, Sendable, CaseIterable {
    case russian = "ru"
    case english = "en"
}
