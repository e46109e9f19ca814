import Kernel

/// The picture of a gift, as SVG: for a screen without its code, for paper with the code and its QR code.
struct GiftCard: Sendable {
    let design: GiftDesign
    let value: FaceValue
    let recipientName: String
    let words: GiftWords?
    /// A picture of the giver's own.
    let photo: GiftPhoto?

    /// What only the one who may spend it sees.
    struct Secret: Sendable {
        let code: CertificateCode
        /// nil where the library for QR codes is not installed.
        let modules: QRModules?
        /// Until when it is good, as people read it; nil for ever.
        let expires: String?
    }

    private static let (width, height) = (540, 300)

    /// The card alone, for screens.
    var screen: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width) \(Self.height)" \
        font-family="\(SVGText.fonts)">
        \(self.face)
        </svg>

        """
    }

    /// A page of A4: the card, and below it the code in letters and as QR code.
    func page(_ secret: Secret) -> String {
        var lines = [
            SVGText.line(27, 388, "Код сертификата", size: 11),
            SVGText.line(27, 418, secret.code.grouped, size: 21, isBold: true, font: "DejaVu Sans Mono, monospace"),
            SVGText.line(27, 450, "Назовите код или покажите QR-код на кассе. Сертификат можно", size: 10),
            SVGText.line(27, 465, "потратить по частям. Не показывайте код посторонним.", size: 10),
        ]
        if let expires = secret.expires { lines.append(SVGText.line(27, 487, "Действует до \(expires)", size: 10)) }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 595 842" \
            font-family="\(SVGText.fonts)">
            <rect width="595" height="842" fill="white"/>
            <g transform="translate(27 40)">
            \(self.face)
            </g>
            \(lines.joined(separator: "\n"))
            \(secret.modules?.svg(x: 427, y: 370, side: 140) ?? "")
            </svg>

            """
    }

    private var face: String {
        let (design, width, height) = (self.design, Self.width, Self.height)
        let ink = design.ink.text
        var parts = [
            #"<rect width="\#(width)" height="\#(height)" rx="16" fill="\#(design.background.text)" stroke="\#(design.accent.text)"/>"#,
            design.template.ornament(design.accent),
            SVGText.line(28, 48, "Подарочный сертификат", size: 15, colour: ink),
            SVGText.line(28, 104, "\(self.value.roubles)\u{A0}₽", size: 46, isBold: true, colour: ink),
            SVGText.line(28, 140, self.recipientName, size: 17, isBold: true, colour: ink),
        ]
        if let words = self.words {
            for (index, line) in SVGText.wrapped(words.text, width: 38, lines: 6).enumerated() {
                parts.append(SVGText.line(28, 166 + index * 19, line, size: 13, colour: ink))
            }
            if !words.from.isEmpty {
                parts.append(SVGText.line(28, 284, "От: \(words.from)", size: 12, colour: ink))
            }
        }
        if let photo = self.photo {
            parts.append(
                #"<image x="374" y="28" width="140" height="140" preserveAspectRatio="xMidYMid slice" "#
                    + #"href="data:\#(photo.contentType);base64,\#(SVGText.base64(photo.bytes))"/>"#)
        }
        return parts.joined(separator: "\n")
    }
}

extension GiftDesign.Template {
    /// The drawing on the right of the card.
    fileprivate func ornament(_ colour: Colour) -> String {
        let shapes: String =
            switch self {
            case .plain:
                #"<path d="M340 300 C 380 200, 470 210, 540 120 V 284 A16 16 0 0 1 524 300 Z"/>"#
            case .birthday:
                #"<rect x="420" y="210" width="90" height="60" rx="6"/><rect x="412" y="196" width="106" height="20" rx="4"/>"#
                    + #"<path d="M465 196 C 430 160, 420 190, 465 196 C 510 190, 500 160, 465 196"/>"#
            case .flowers:
                Self.ring(of: 6, around: (460, 225), radius: 26, size: 18)
                    + #"<rect x="457" y="255" width="6" height="40"/>"#
            case .newYear:
                #"<path d="M465 170 L495 215 H482 L508 252 H422 L448 215 H435 Z"/><rect x="458" y="252" width="14" height="24"/>"#
            case .hearts:
                #"<path d="M465 275 C 395 225, 410 180, 440 185 C 455 188, 465 205, 465 205 C 465 205, 475 188, 490 185 C 520 180, 535 225, 465 275"/>"#
            case .autumn:
                #"<path d="M465 280 C 425 250, 420 210, 465 180 C 510 210, 505 250, 465 280 M463 280 h4 v18 h-4 z"/>"#
            }
        return #"<g fill="\#(colour.text)" fill-opacity="0.55">\#(shapes)</g>"#
    }

    /// Petals: circles around a middle, each at a place of a hexagon.
    private static func ring(of count: Int, around: (x: Int, y: Int), radius: Int, size: Int) -> String {
        // Hundredths of the six directions' cosines and sines.
        let directions = [(100, 0), (50, 87), (-50, 87), (-100, 0), (-50, -87), (50, -87)]
        return directions.prefix(count).map { x, y in
            #"<circle cx="\#(around.x + radius * x / 100)" cy="\#(around.y + radius * y / 100)" r="\#(size)"/>"#
        }.joined()
    }
}

/// A picture that was made anew, so that it is a picture and nothing else.
struct GiftPhoto: Hashable, Sendable {
    /// `image/jpeg` or `image/png`.
    let contentType: String
    let bytes: [UInt8]
}

/// The black and white squares of a QR code.
struct QRModules: Hashable, Sendable {
    /// Squares on a side.
    let width: Int
    /// Row by row; true is black.
    let isBlack: [Bool]

    /// As SVG with the quiet zone of four squares that readers need (ISO/IEC 18004, 5.3.8).
    func svg(x: Int, y: Int, side: Int) -> String {
        let span = self.width + 8
        var path = ""
        for (index, black) in self.isBlack.enumerated() where black {
            path += "M\(index % self.width + 4) \(index / self.width + 4)h1v1h-1z"
        }
        return """
            <svg x="\(x)" y="\(y)" width="\(side)" height="\(side)" viewBox="0 0 \(span) \(span)" \
            shape-rendering="crispEdges"><rect width="\(span)" height="\(span)" fill="white"/>\
            <path d="\(path)" fill="black"/></svg>
            """
    }
}
