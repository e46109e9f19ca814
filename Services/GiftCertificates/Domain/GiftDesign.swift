import Kernel

/// How a gift looks: a template and two colours.
struct GiftDesign: Hashable, Sendable, Codable {
    let template: Template
    /// Behind everything.
    let background: Colour
    /// The ornament.
    let accent: Colour

    /// The pictures to choose from.
    enum Template: String, Hashable, Sendable, Codable, CaseIterable {
        case plain, birthday, flowers
        case newYear = "new-year"
        case hearts, autumn

        /// As members read it.
        var names: (russian: String, english: String) {
            switch self {
            case .plain: ("Классический", "Classic")
            case .birthday: ("День рождения", "Birthday")
            case .flowers: ("Цветы", "Flowers")
            case .newYear: ("Новый год", "New Year")
            case .hearts: ("С любовью", "With love")
            case .autumn: ("Осень", "Autumn")
            }
        }

        /// The colours that a design has unless somebody chooses others.
        var colours: (background: Colour, accent: Colour) {
            switch self {
            case .plain: (Colour(0xF4F1EA), Colour(0x2E7D32))
            case .birthday: (Colour(0xFFF3E0), Colour(0xEF6C00))
            case .flowers: (Colour(0xFCE4EC), Colour(0xAD1457))
            case .newYear: (Colour(0x0D2B45), Colour(0xE8C468))
            case .hearts: (Colour(0xFFEBEE), Colour(0xC62828))
            case .autumn: (Colour(0xFBE9D0), Colour(0x8D4B1F))
            }
        }
    }

    /// The words on a dark ground are white, on a light one black: whatever is chosen can be read.
    var ink: Colour { self.background.isDark ? Colour(0xFFFFFF) : Colour(0x1A1A1A) }
}

/// A colour of sRGB. JSON: `#RRGGBB`.
struct Colour: ValidatedText, Hashable, Sendable {
    /// `#rrggbb`, in lower case.
    let text: String
    private let rgb: UInt32

    static let requirement = "a colour is written as #RRGGBB"

    init(_ rgb: UInt32) {
        self.rgb = rgb & 0xFF_FFFF
        let digits = String(self.rgb, radix: 16)
        self.text = "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    init?(_ description: String) {
        guard description.utf8.count == 7, description.hasPrefix("#"),
            description.utf8.dropFirst().allSatisfy({ 0x30...0x39 ~= $0 || 0x41...0x46 ~= $0 || 0x61...0x66 ~= $0 }),
            let rgb = UInt32(description.dropFirst(), radix: 16)
        else { return nil }
        self.init(rgb)
    }

    /// Whether white is easier to read on it than black: by relative luminance in thousandths (ITU-R BT.709), without
    /// the gamma, which is near enough for a choice of two.
    var isDark: Bool {
        let (red, green, blue) = (self.rgb >> 16 & 0xFF, self.rgb >> 8 & 0xFF, self.rgb & 0xFF)
        return red * 213 + green * 715 + blue * 72 < 128_000
    }
}

/// What is written on a gift. Personal: sealed in the database, and gone when the giver is erased.
struct GiftWords: Hashable, Sendable, Codable, Masked {
    /// The greeting; at most ``textLimit`` characters in ``linesLimit`` lines.
    let text: String
    /// Who gives, as the recipient reads it.
    let from: String

    static let textLimit = 200
    static let linesLimit = 6
    static let nameLimit = 40

    /// Always three stars.
    var description: String { "***" }
}
