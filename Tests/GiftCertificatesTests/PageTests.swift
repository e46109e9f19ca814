import FoundationEssentials
import Kernel
import Subprocess
import TestSupport
import Testing

@testable import GiftCertificates

/// A gift as picture and on paper (features.md, row 29).
@Suite struct PageTests {
    private static let hostile = #"</text><script>alert(1)</script>&"#

    @Test func `whatever is written on a gift stays text`() throws {
        let card = try Self.card(text: Self.hostile, name: #"<image href="file:///etc/passwd"/>"#)
        for page in [card.screen, card.page(try Self.secret())] {
            #expect(!page.contains("<script"))
            #expect(!page.contains("<image"))
            #expect(page.contains("&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"))
        }
    }

    @Test func `the screen's card has no code, the page has it in letters and as QR code`() throws {
        let secret = try Self.secret()
        let card = try Self.card()
        #expect(!card.screen.contains(secret.code.grouped))
        #expect(card.page(secret).contains(secret.code.grouped))
        #expect(card.page(secret).contains("Действует до 04.12.2027"))
    }

    @Test(arguments: GiftDesign.Template.allCases)
    func `every template can be read in its colours`(template: GiftDesign.Template) throws {
        let colours = template.colours
        let design = GiftDesign(template: template, background: colours.background, accent: colours.accent)
        #expect(design.ink != colours.background)
        #expect(design.ink.isDark != colours.background.isDark)
    }

    @Test func `without the program or the library there is an error of its own, and nothing else breaks`() async throws
    {
        await #expect(throws: PagePrinter.Failure.notInstalled) {
            _ = try await PagePrinter(program: "no-such-program")("<svg/>")
        }
        #expect(throws: QRCodes.Failure.notInstalled) { _ = try QRCodes(library: "libno-such.so.4")("text") }
        let card = try Self.card()
        let secret = try Self.secret()
        let page = card.page(GiftCard.Secret(code: secret.code, modules: nil, expires: nil))
        #expect(page.contains(secret.code.grouped))
        #expect(!page.contains("crispEdges"))
    }

    @Test(.enabled(if: Tools.hasRSVG)) func `the page is a PDF of one page`() async throws {
        let pdf = try await PagePrinter()(try Self.card().page(try Self.secret()))
        #expect(pdf.starts(with: Array("%PDF-".utf8)))
    }

    /// The code goes through our squares, librsvg's pixels and zbar's eyes.
    @Test(.enabled(if: Tools.hasRSVG && Tools.hasZBar && Tools.hasQREncode))
    func `a scanner reads the code from the page`() async throws {
        let code = CertificateCode.make(random: .system)
        let modules = try QRCodes()(code.text)
        let page = try Self.card().page(GiftCard.Secret(code: code, modules: modules, expires: nil))
        let png = FileManager.default.temporaryDirectory.appending(path: "qr-\(UUID().uuidString).png").path
        defer { try? FileManager.default.removeItem(atPath: png) }
        _ = try await Subprocess.run(
            .name("rsvg-convert"), arguments: ["--dpi-x=150", "--dpi-y=150", "--output", png], input: .string(page),
            output: .discarded, error: .discarded)
        let read = try await Subprocess.run(
            .name("zbarimg"), arguments: ["--quiet", "--raw", png], output: .string(limit: 4096), error: .discarded)
        #expect(read.standardOutput.trimmed == code.text)
    }

    private static func card(text: String = "С днём рождения!", name: String = "Мама") throws -> GiftCard {
        GiftCard(
            design: GiftDesign(template: .birthday, background: Colour(0xFFF3E0), accent: Colour(0xEF6C00)),
            value: try #require(Kopecks(150_000).flatMap { FaceValue($0) }), recipientName: name,
            words: GiftWords(text: text, from: "Вера"), photo: nil)
    }

    private static func secret() throws -> GiftCard.Secret {
        GiftCard.Secret(
            code: try #require(CertificateCode(bytes: [UInt8](0..<10))), modules: QRModules(width: 1, isBlack: [true]),
            expires: "04.12.2027")
    }
}

/// What of the machine these tests want.
enum Tools {
    static let hasRSVG = Self.isThere("rsvg-convert")
    static let hasZBar = Self.isThere("zbarimg")
    static let hasVips = Self.isThere("vipsthumbnail")
    static let hasQREncode = (try? QRCodes()("1")) != nil

    private static func isThere(_ program: String) -> Bool {
        ["/usr/bin", "/usr/local/bin", "/bin"].contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }
}

extension String {
    fileprivate var trimmed: String { self.filter { !$0.isWhitespace } }
}
