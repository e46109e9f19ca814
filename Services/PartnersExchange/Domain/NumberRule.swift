/// How the numbers of a partner's programme look.
struct NumberRule: Codable, Hashable, Sendable {
    enum Checksum: String, Codable, Hashable, Sendable {
        case none
        /// ISO/IEC 7812-1, annex B.
        case luhn
        /// The check digit of GS1 (EAN-13).
        case ean
        /// ISO/IEC 7064, MOD 97-10: the whole number leaves 1.
        case mod97
    }

    /// The least and the greatest number of digits.
    let digits: [Int]
    let checksum: Checksum
    /// What it may begin with; empty: anything.
    let prefixes: [String]

    /// What is wrong with a number.
    enum Flaw: String, Error, Hashable, Sendable {
        case length, prefix, checksum
        /// Something else than digits, blanks and hyphens.
        case characters
    }

    /// The digits of a number as a member types it.
    /// - Throws: ``Flaw``.
    func parse(_ text: String) throws(Flaw) -> String {
        let bare = text.filter { $0 != " " && $0 != "-" }
        guard text.utf8.count <= 64, bare.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .characters
        }
        guard let least = self.digits.first, let most = self.digits.last, least...max(least, most) ~= bare.utf8.count
        else { throw .length }
        guard self.prefixes.isEmpty || self.prefixes.contains(where: bare.hasPrefix) else { throw .prefix }
        guard self.isChecked(bare.utf8.map { Int($0) - 0x30 }) else { throw .checksum }
        return bare
    }

    private func isChecked(_ digits: [Int]) -> Bool {
        switch self.checksum {
        case .none: true
        case .luhn:
            digits.reversed().enumerated().reduce(0) { sum, next in
                let digit = next.offset % 2 == 0 ? next.element : next.element * 2
                return sum + (digit > 9 ? digit - 9 : digit)
            } % 10 == 0
        case .ean:
            digits.reversed().enumerated().reduce(0) { $0 + $1.element * ($1.offset % 2 == 0 ? 1 : 3) } % 10 == 0
        case .mod97:
            digits.reduce(0) { ($0 * 10 + $1) % 97 } == 1
        }
    }
}
