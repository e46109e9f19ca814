import Kernel

/// Reads what people want printed on a gift, and says what must not be.
enum Moderation {
    /// Why a text is not printed.
    enum Objection: String, Hashable, Sendable, CaseIterable {
        /// Empty, or longer than there is room for.
        case length
        /// Control characters, invisible ones, ones that turn the direction of reading, or towers of accents.
        case characters
        /// An address or a phone: a gift is no place for advertising or for phishing.
        case link
        /// A word of the list.
        case words
    }

    /// - Parameters:
    ///   - limit: characters as people count them.
    ///   - lines: how many lines there may be.
    static func objection(to text: String, limit: Int, lines: Int = 1) -> Objection? {
        guard text.utf8.count <= limit * 8, 1...limit ~= text.count, text.contains(where: { !$0.isWhitespace }) else {
            return .length
        }
        guard text.split(separator: "\n", omittingEmptySubsequences: false).count <= lines else { return .length }
        guard text.allSatisfy(Self.isPrintable) else { return .characters }
        if Self.hasLink(text) { return .link }
        if Self.words(of: text).contains(where: Self.isRude) { return .words }
        return nil
    }

    private static func isPrintable(_ character: Character) -> Bool {
        let scalars = character.unicodeScalars
        if character == "\n" { return true }
        // Flags and families of emoji have several scalars; accents are counted apart.
        guard scalars.count <= 8, scalars.count(where: { $0.properties.isGraphemeExtend }) <= 2 else { return false }
        return scalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            // Invisible: only what joins emoji is let through.
            case .format: scalar.value == 0x200D && scalars.count > 1
            default: true
            }
        }
    }

    private static func hasLink(_ text: String) -> Bool {
        let lowered = text.lowercased()
        if ["http", "www.", "://", "t.me", "@"].contains(where: lowered.contains) { return true }
        if lowered.firstMatch(of: #/[\p{L}\d]\.(ru|com|net|org|рф|su|info|me)\b/#) != nil { return true }
        // Seven digits in a row, whatever people put between them, are a phone.
        var row = 0
        for character in lowered where !"-() \u{A0}".contains(character) {
            row = character.isNumber ? row + 1 : 0
            if row >= 7 { return true }
        }
        return false
    }

    /// The words as somebody reads them who wants to understand: look-alikes as the letters they stand for,
    /// repetitions once.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word: [Character] = []
        for character in text.lowercased() {
            let letter = Self.lookAlikes[character] ?? character
            if letter.isLetter {
                if word.last != letter { word.append(letter) }
            } else if !word.isEmpty {
                words.append(String(word))
                word = []
            }
        }
        return word.isEmpty ? words : words + [String(word)]
    }

    private static func isRude(_ word: String) -> Bool {
        let bare = Self.prefixes.first { word.hasPrefix($0) }.map { String(word.dropFirst($0.count)) }
        return Self.stems.contains { stem in word.hasPrefix(stem) || (bare?.hasPrefix(stem) ?? false) }
            || Self.latinStems.contains { Self.latin(word).hasPrefix($0) }
    }

    /// Latin words come here with their look-alikes turned into Cyrillic letters: turned back to be compared.
    private static func latin(_ word: String) -> String {
        String(word.map { Self.latinOf[$0] ?? $0 })
    }

    private static let lookAlikes: [Character: Character] = [
        "ё": "е", "a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "y": "у", "x": "х", "k": "к", "m": "м", "t": "т",
        "b": "в", "h": "н", "0": "о", "3": "з", "6": "б", "@": "а",
    ]
    private static let latinOf: [Character: Character] = [
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "к": "k", "м": "m", "т": "t", "в": "b",
        "н": "h",
    ]
    /// Beginnings of words, never middles: «застрахуй» and «употреблять» are harmless.
    private static let stems = [
        "хуй", "хуе", "хуя", "хуи", "пизд", "пезд", "ебат", "ебан", "ебал", "ебла", "ебуч", "ебну", "бляд", "блят",
        "мудак", "мудил", "манда", "гандон", "пидор", "пидар", "залуп", "дроч", "шлюх",
    ]
    private static let latinStems = ["fuck", "shit", "cunt", "nigg", "bitch", "whore"]
    private static let prefixes = [
        "за", "на", "по", "от", "вы", "до", "про", "при", "пере", "об", "разъ", "съ", "у", "о",
    ]
}
