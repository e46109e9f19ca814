import FoundationEssentials
import Kernel
import Testing

@testable import Auth

@Suite struct MailTextTests {
    private func write(
        subject: String = "Баллы начислены", body: String = "Здравствуйте!\nБаллы на месте.", replyTo: String? = nil,
        messageID: String? = nil, inReplyTo: String? = nil
    ) throws -> [String] {
        let mail = OutgoingMail(
            recipient: try #require(EmailAddress("anna@example.org")), subject: subject, body: body,
            replyTo: replyTo.flatMap { EmailAddress($0) }, messageID: messageID, inReplyTo: inReplyTo)
        let reference = try #require(UUID(uuidString: "019ab3f0-7c55-7d21-9a4e-5b1c0f3e8d77"))
        let text = MailText.write(
            mail, from: try #require(EmailAddress("club@club.example")), reference: reference,
            at: try #require(Timestamp("2026-11-28T01:24:37Z")))
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        return text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func `a mail is what RFC 5322 and MIME want`() throws {
        let lines = try self.write()
        #expect(lines.contains("Date: Sat, 28 Nov 2026 01:24:37 +0000"))
        #expect(lines.contains("To: <anna@example.org>"))
        #expect(lines.contains("Message-ID: <019ab3f0-7c55-7d21-9a4e-5b1c0f3e8d77@club.example>"))
        #expect(lines.contains("Content-Transfer-Encoding: base64"))
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.contains("\n") })
        let empty = try #require(lines.firstIndex(of: ""))
        let body = Data(base64Encoded: lines[(empty + 1)...].joined())
        #expect(body.map { String(decoding: $0, as: UTF8.self) } == "Здравствуйте!\r\nБаллы на месте.")
    }

    @Test func `an answer names where answers go and what it answers`() throws {
        let lines = try self.write(
            replyTo: "ticket-17@club.example", messageID: "<17.2@club.example>", inReplyTo: "CAF@example.org")
        #expect(lines.contains("Reply-To: <ticket-17@club.example>"))
        #expect(lines.contains("Message-ID: <17.2@club.example>"))
        #expect(lines.contains("In-Reply-To: <CAF@example.org>"))
        #expect(lines.contains("References: <CAF@example.org>"))
    }

    @Test func `no text of anybody makes a header of its own`() throws {
        let evil = "Привет\r\nBcc: all@example.org\r\n\r\nbody"
        for lines in [
            try self.write(subject: evil), try self.write(subject: "plain\r\nBcc: all@example.org"),
            try self.write(messageID: "a@b\r\nBcc: all@example.org"), try self.write(inReplyTo: "a@b>\r\nBcc: x"),
        ] {
            #expect(!lines.contains { $0.hasPrefix("Bcc") })
        }
    }

    @Test func `a long subject is cut into words that split no character`() throws {
        let subject = String(repeating: "Ёжик в тумане 🦔 ", count: 12)
        let words = MailText.words(subject).split(separator: "\r\n ")
        #expect(words.count > 3)
        var text = ""
        for word in words {
            #expect(word.utf8.count <= 75 && word.hasPrefix("=?UTF-8?B?") && word.hasSuffix("?="))
            let bytes = try #require(Data(base64Encoded: String(word.dropFirst(10).dropLast(2))))
            text += try #require(String(validating: bytes, as: UTF8.self))
        }
        #expect(text == subject)
        #expect(MailText.words("Ticket 17") == "Ticket 17")
        #expect(MailText.words("=?UTF-8?B?x?=").hasPrefix("=?UTF-8?B?") && MailText.words("=?x") != "=?x")
    }

    @Test func `a line that begins with a dot gets another`() {
        #expect(MailText.stuffed("a\r\n.\r\n..b\r\nc.\r\n") == "a\r\n..\r\n...b\r\nc.\r\n")
    }

    @Test func `a reply is read line by line`() throws {
        var reader = SMTPReply.Reader()
        #expect(try reader.take("250-mail.example.org") == nil)
        #expect(try reader.take("250-STARTTLS") == nil)
        let reply = try #require(try reader.take("250 AUTH LOGIN PLAIN"))
        #expect(reply.code == 250 && reply.offers("STARTTLS") && reply.offersPlainAuthentication())
        #expect(!reply.offers("SIZE"))
        for lines in [["hello"], ["2500 x"], ["250-a", "354 b"], ["199 x"], ["250?x"]] {
            var reader = SMTPReply.Reader()
            #expect(throws: SMTPReply.Malformed.self) {
                for line in lines { _ = try reader.take(line) }
            }
        }
        var endless = SMTPReply.Reader()
        #expect(throws: SMTPReply.Malformed.self) {
            for _ in 0...SMTPReply.Reader.linesMax { _ = try endless.take("250-more") }
        }
    }

    @Test func `addresses of Kannel have nothing in them that means something there`() {
        #expect(PercentEncoding.encode("Код 1&to=+7?#%") == "%D0%9A%D0%BE%D0%B4%201%26to%3D%2B7%3F%23%25")
        #expect(KannelReport.state(1) == .delivered && KannelReport.state(8) == .accepted)
        #expect(KannelReport.state(2) == .failed && KannelReport.state(16) == .failed)
        #expect(KannelReport.state(4) == .accepted && KannelReport.state(3) == nil && KannelReport.state(0) == nil)
    }
}
