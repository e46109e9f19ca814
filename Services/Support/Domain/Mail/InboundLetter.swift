import Kernel

/// A letter to support, as far as support reads it.
struct InboundLetter: Sendable {
    /// Bytes of a letter with its pictures.
    static let bytesMax = 32 << 20
    /// Characters of its text that are kept.
    static let textMax = 20_000

    /// Who says to have written it; nil when nobody can be made out.
    let from: EmailAddress?
    /// Where it went, in every way that a mail server tells.
    let recipients: [String]
    let subject: String
    /// What names the letter; nil when it has no name.
    let messageID: String?
    /// What was written, without what it answers.
    let text: String
    /// Pictures that came along, as files.
    let pictures: [[UInt8]]
    /// Written by a machine: an out-of-office note, a report that something could not be delivered, a mailing.
    let isAutomatic: Bool

    /// Reads RFC 5322; what is broken is read as far as it goes.
    init(_ bytes: [UInt8]) {
        let letter = MailPart(bytes[...])
        self.from = letter.text("from").flatMap { Self.addresses(in: $0).first }.flatMap { EmailAddress($0) }
        self.recipients = ["delivered-to", "x-original-to", "envelope-to", "to", "cc"].flatMap { name in
            letter.all(name).flatMap { Self.addresses(in: $0) }
        }
        self.subject = Self.storable((letter.text("subject") ?? "").prefix(200))
        self.messageID = letter.raw("message-id").flatMap { 1...998 ~= $0.utf8.count ? Self.storable($0) : nil }
        let leaves = letter.leaves()
        self.text = Self.storable(Self.text(of: leaves).prefix(Self.textMax))
        self.pictures = leaves.filter { $0.type.hasPrefix("image/") }.prefix(SupportTicket.photosMax).map(\.content)
        self.isAutomatic = Self.isAutomatic(letter)
    }

    private static func text(of leaves: [MailPart]) -> String {
        let texts = leaves.filter { !$0.isAttachment }
        if let plain = texts.first(where: { $0.type == "text/plain" }) {
            return QuotedText.removed(from: plain.contentText)
        }
        if let page = texts.first(where: { $0.type == "text/html" }) {
            return QuotedText.removed(from: PageText.read(page.contentText))
        }
        return ""
    }

    /// RFC 3834, 2 and 5: whoever answers a machine begins a conversation of machines.
    private static func isAutomatic(_ letter: MailPart) -> Bool {
        let submitted = letter.raw("auto-submitted")?.lowercased() ?? "no"
        let precedence = letter.raw("precedence")?.lowercased() ?? ""
        return submitted.prefix { $0 != ";" }.trimmed != "no"
            || ["bulk", "junk", "list", "auto_reply"].contains(precedence)
            || letter.raw("list-id") != nil || letter.raw("return-path") == "<>" || letter.type == "multipart/report"
    }

    /// `Анна <anna@example.org>, boris@example.org`: what stands between angle brackets, else the words with a sign.
    private static func addresses(in text: String) -> [String] {
        text.split(separator: ",").compactMap { entry in
            if let open = entry.lastIndex(of: "<"), let close = entry[open...].firstIndex(of: ">") {
                return String(entry[entry.index(after: open)..<close])
            }
            return entry.split(whereSeparator: \.isWhitespace).first { $0.contains("@") }.map(String.init)
        }
    }

    /// PostgreSQL has no NUL in texts, and nobody needs it there.
    private static func storable(_ text: some StringProtocol) -> String {
        String(text).replacing("\r\n", with: "\n").filter { $0 != "\0" && $0 != "\r" }.trimmed
    }
}
