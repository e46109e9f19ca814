import Kernel
import TestSupport
import Testing

@testable import Support

/// Letters as Python's email package writes them (Fixtures/letters.py).
@Suite struct LetterTests {
    private static let answer = "Спасибо! Баллы пришли, но только за половину чека.\nПосмотрите, пожалуйста, ещё раз."

    @Test(arguments: ["plain", "both", "windows", "koi"])
    func `what was written is read, and what it answers is not`(name: String) throws {
        let letter = InboundLetter(try SupportWorld.fixture("\(name).eml"))
        #expect(letter.text == Self.answer)
        #expect(letter.from?.address == "anna@example.org")
        #expect(letter.recipients == ["reply@test.invalid"])
        #expect(letter.subject == "Re: Обращение № 1001")
        #expect(letter.messageID == "<\(name)@example.org>")
        #expect(!letter.isAutomatic)
    }

    @Test func `a letter that is a page only is read as text`() throws {
        let letter = InboundLetter(try SupportWorld.fixture("page.eml"))
        #expect(letter.text.split(separator: "\n").joined(separator: "\n") == Self.answer)
    }

    @Test func `a long subject is unfolded, and the signature is left out`() throws {
        let letter = InboundLetter(try SupportWorld.fixture("fresh.eml"))
        #expect(letter.subject == "Как вернуть баллы за испорченный кефир из магазина на улице Большая Полянка?")
        #expect(letter.text == "Здравствуйте!\nКефир оказался просрочен.")
    }

    @Test func `pictures come along, other files do not`() throws {
        let pictures = InboundLetter(try SupportWorld.fixture("both.eml")).pictures
        #expect(pictures == [try SupportWorld.fixture("gps.jpg"), Array("not a picture".utf8)])
    }

    @Test func `a machine's letter is known as one`() throws {
        #expect(InboundLetter(try SupportWorld.fixture("automatic.eml")).isAutomatic)
        let bounce = "Return-Path: <>\nFrom: a@example.org\n\ntext"
        #expect(InboundLetter(Array(bounce.utf8)).isAutomatic)
        #expect(InboundLetter(Array("List-Id: <x.example.org>\nFrom: a@example.org\n\ntext".utf8)).isAutomatic)
    }

    @Test func `an answer below the quote is kept`() {
        let text = "On Friday Support <a@b.example> wrote:\n> \(QuotedText.line)\n> Вопрос?\n\nОтвет внизу."
        #expect(QuotedText.removed(from: text) == "Ответ внизу.")
        #expect(QuotedText.removed(from: "Ответ сверху.\n\(QuotedText.line)\nнаш текст") == "Ответ сверху.")
        #expect(QuotedText.removed(from: "> только цитата") == "> только цитата")
        #expect(QuotedText.removed(from: "Он пишет:\nя согласен") == "Он пишет:\nя согласен")
    }

    /// Whatever a stranger sends, it is read to an end.
    @Test func `broken letters are read as far as they go`() throws {
        var generator = SplitMix64(seed: 3)
        let whole = try SupportWorld.fixture("both.eml")
        for _ in 0..<60 {
            var bytes = whole
            for _ in 0..<20 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
            let letter = InboundLetter(bytes)
            #expect(letter.text.count <= InboundLetter.textMax)
            #expect(!letter.text.utf8.contains(0))
        }
        let deep = (0..<100).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        #expect(InboundLetter(Array(deep.utf8)).text.isEmpty)
        #expect(InboundLetter([]).from == nil)
    }

    @Test func `encoded words are read wherever they stand`() {
        #expect(MailCoding.header("=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= (=?utf-8*ru?B?0LzQuNGA?=)") == "Привет (мир)")
        #expect(MailCoding.header("=?utf-8?B?0J/R?=\t=?utf-8?B?gNC40LLQtdGC?=").unicodeScalars.count > 5)
        #expect(MailCoding.header("=?broken? =?utf-8?X?a?= 1 =? 2") == "=?broken? =?utf-8?X?a?= 1 =? 2")
    }
}
