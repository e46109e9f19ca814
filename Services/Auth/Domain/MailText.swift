import FoundationEssentials
import Kernel

/// A mail in the form that mail servers take (RFC 5322, MIME): headers in ASCII, the text as UTF-8 in base64.
enum MailText {
    /// - Parameters:
    ///   - from: who writes.
    ///   - reference: makes the message's name where it has none of its own.
    /// - Returns: lines ending in CRLF, without the dot of the end.
    static func write(_ mail: OutgoingMail, from: EmailAddress, reference: UUID, at now: Timestamp) -> String {
        let domain = from.address.drop { $0 != "@" }.dropFirst()
        let own = "\(reference.uuidString.lowercased())@\(domain)"
        var headers = [
            "From: club <\(from.address)>", "To: <\(mail.recipient.address)>",
            "Subject: \(Self.words(mail.subject))", "Date: \(Self.date(now))",
            "Message-ID: <\(Self.name(mail.messageID) ?? own)>",
        ]
        if let replyTo = mail.replyTo { headers.append("Reply-To: <\(replyTo.address)>") }
        if let answered = Self.name(mail.inReplyTo) {
            headers += ["In-Reply-To: <\(answered)>", "References: <\(answered)>"]
        }
        headers += [
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
            "Auto-Submitted: auto-generated",
        ]
        return (headers + [""] + Self.base64Lines(mail.body)).joined(separator: "\r\n") + "\r\n"
    }

    /// A header's text: as it is when it is short printable ASCII, else in encoded words of at most 75 characters that
    /// split no character (RFC 2047, 2 and 5). Line ends are never printable, so no header can be smuggled in.
    static func words(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { (0x20...0x7e).contains($0) } && !text.contains("=?") && text.utf8.count <= 60
        guard !isPlain else { return text }
        var chunks: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if chunks[chunks.count - 1].count + bytes.count > 45 { chunks.append([]) }
            chunks[chunks.count - 1] += bytes
        }
        return chunks.map { "=?UTF-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// `Sat, 28 Nov 2026 01:24:37 +0000` (RFC 5322, 3.3).
    static func date(_ now: Timestamp) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let seconds = now.secondsSince1970
        let day = Int64((Double(seconds) / 86_400).rounded(.down))
        let date = CivilDate(daysSince1970: day)
        let time = seconds - day * 86_400
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(days[Int((day % 7 + 7) % 7)]), \(two(date.day)) \(months[Int(date.month) - 1]) \(date.year) "
            + "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60)) +0000"
    }

    /// Doubles the dot that begins a line, since a lone dot ends the message (RFC 5321, 4.5.2).
    static func stuffed(_ text: String) -> String {
        text.split(separator: "\r\n", omittingEmptySubsequences: false).map { $0.hasPrefix(".") ? ".\($0)" : "\($0)" }
            .joined(separator: "\r\n")
    }

    /// A message's name without brackets; nil for what could not be one.
    private static func name(_ text: String?) -> String? {
        guard let text else { return nil }
        let bare = text.hasPrefix("<") && text.hasSuffix(">") ? text.dropFirst().dropLast() : text[...]
        let isName = bare.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x3c && $0 != 0x3e }
        return isName && 1...200 ~= bare.utf8.count && bare.contains("@") ? String(bare) : nil
    }

    /// Lines of 76 characters (RFC 2045, 6.8). The text's own line ends become CRLF first, as text/plain wants.
    private static func base64Lines(_ body: String) -> [String] {
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasSuffix("\r") ? line.dropLast() : line
        }
        let text = Array(Data(lines.joined(separator: "\r\n").utf8).base64EncodedString().utf8)
        return stride(from: 0, to: text.count, by: 76).map {
            String(decoding: text[$0..<min($0 + 76, text.count)], as: UTF8.self)
        }
    }
}
