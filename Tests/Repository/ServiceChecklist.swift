import Host

/// The checklist of Services/README.md, and a check for each of its items.
struct ServiceChecklist {
    /// A service, as the places of the tree name it.
    struct Service: Sendable {
        /// In the database: `gift_certificates`.
        let name: String
        /// In Swift: `GiftCertificates`.
        let folder: String
        /// Counted from the base port.
        let place: Int
        let settings: [Setting]

        /// In programs and hosts: `gift-certificates`.
        var host: String { self.name.replacing("_", with: "-") }
        var program: String { "club-\(self.host)" }
        var role: String { "club_\(self.name)" }
        /// With nothing set.
        var port: Int { 8080 + self.place }
        /// `N+5`, as people are told.
        var portText: String { self.place == 0 ? "N" : "N+\(self.place)" }
        var settingPrefix: String { "CLUB_\(self.name.uppercased())_" }
        var path: String { "Services/\(self.folder)" }
        var requiredSecrets: [String] { self.settings.filter { $0.isSecret && $0.isRequired }.map(\.name) }
    }

    /// Looks for what an item asks for.
    struct Check: Sendable {
        /// The item's name in the list.
        let item: String
        /// What the tree lacks of it, each as something to look for.
        let missing: @Sendable (Service) throws -> [String]

        init(_ item: String, _ missing: @escaping @Sendable (Service) throws -> [String]) {
            (self.item, self.missing) = (item, missing)
        }
    }

    static let page = "Services/README.md"

    /// The items of the list: `7. **Contract.** …`
    static func items() throws -> [(number: Int, name: String)] {
        try SourceTree.text(self.page).split(separator: "\n").compactMap { line in
            guard let match = line.firstMatch(of: #/^([0-9]+)\. \*\*([^*]+)\.\*\*/#) else { return nil }
            return Int(match.1).map { ($0, String(match.2)) }
        }
    }

    /// In the order of the list.
    static let checks = Self.ofTheService + Self.ofTheProgram + Self.ofTheContainers + Self.ofTheRest

    /// Those of the texts that a file has not, however it is broken into lines.
    static func lacks(_ path: String, _ texts: String...) throws -> [String] {
        guard SourceTree.exists(path) else { return [path] }
        let text = self.squeezed(try SourceTree.text(path))
        return texts.filter { !text.contains(self.squeezed($0)) }.map { "\(path): \($0)" }
    }

    /// Those of the texts that no file below a folder has.
    static func lacks(below folder: String, endings: [String], _ texts: String...) throws -> [String] {
        guard SourceTree.exists(folder) else { return [folder] }
        let text = self.squeezed(
            try SourceTree.files(in: [folder], endings: endings).map { $0.lines.joined(separator: "\n") }.joined())
        return texts.filter { !text.contains(self.squeezed($0)) }.map { "\(folder): \($0)" }
    }

    /// Nothing when a list that stands between two marks of a file has the word.
    static func lacks(_ word: String, in path: String, from start: String, to end: String) throws -> [String] {
        let text = try SourceTree.text(path)
        guard let begin = text.firstRange(of: start) else { return ["\(path): \(start)"] }
        let rest = text[begin.upperBound...]
        let list = rest.firstRange(of: end).map { rest[..<$0.lowerBound] } ?? rest
        let words = list.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        return words.contains { $0 == word } ? [] : ["\(path): \(word) behind \(start)"]
    }

    private static func squeezed(_ text: String) -> String { text.filter { !$0.isWhitespace } }
}
