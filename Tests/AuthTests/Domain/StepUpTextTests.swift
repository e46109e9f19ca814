import Contracts
import Crypto
import FoundationEssentials
import Kernel
import Testing

@testable import Auth

@Suite struct StepUpTextTests {
    private static let pepper = SymmetricKey(data: [UInt8](repeating: 7, count: 32))
    private static let challenge = Challenge.ID(UUID())

    private static func text(_ subject: StepUpSubject, _ language: MemberLanguage = .russian) -> (String, String) {
        let code = LoginCode(challenge: Self.challenge, length: .six, pepper: Self.pepper)
        return (code.reveal(), SMSText.stepUp(code, subject, language: language))
    }

    @Test func `the message says what the code confirms`() {
        let (code, text) = Self.text(
            StepUpSubject(action: .exchange, amount: 5000, unit: .points, target: "S7 Airlines"))
        #expect(text == "\(code) — обмен 5000 б.: S7 Airlines. Никому его не сообщайте.")
        let (other, english) = Self.text(
            StepUpSubject(action: .certificate, amount: 150_050, unit: .kopecks, target: "Anna"), .english)
        #expect(english == "\(other) - certificate 1500,50 ₽: Anna. Do not share this code.")
        #expect(Self.text(.unlockSpending).1.hasSuffix("снять запрет трат. Никому его не сообщайте."))
    }

    @Test(arguments: StepUpSubject.Action.allCases, [0, 1, 40, 200])
    func `however long the target is, one segment holds the code, the deed, the amount and the warning`(
        action: StepUpSubject.Action, length: Int
    ) {
        let target = String(String(repeating: "Литрес 📚 ", count: 40).prefix(length))
        for language in MemberLanguage.allCases {
            let (code, text) = Self.text(
                StepUpSubject(action: action, amount: 300_000, unit: .points, target: target), language)
            #expect(text.utf16.count <= SMSText.segmentUTF16Units)
            #expect(text.hasPrefix(code))
            #expect(text.hasSuffix(language == .russian ? "Никому его не сообщайте." : "Do not share this code."))
        }
    }

    @Test func `a code is another for another action, amount, unit, target or member`() throws {
        let member = Member.ID(UUID())
        let subjects = [
            StepUpSubject(action: .exchange, amount: 5000, unit: .points, target: "S7"),
            StepUpSubject(action: .donation, amount: 5000, unit: .points, target: "S7"),
            StepUpSubject(action: .exchange, amount: 5001, unit: .points, target: "S7"),
            StepUpSubject(action: .exchange, amount: 5000, unit: .kopecks, target: "S7"),
            StepUpSubject(action: .exchange, amount: 5000, unit: .points, target: "S8"),
        ]
        var bindings = try subjects.map { try StepUpBinding($0, of: member) }
        bindings.append(try StepUpBinding(subjects[0], of: Member.ID(UUID())))
        let codes = bindings.map {
            LoginCode(challenge: Self.challenge, length: .six, binding: $0, pepper: Self.pepper).reveal()
        }
        #expect(Set(codes).count == 6)
        let unbound = LoginCode(challenge: Self.challenge, length: .six, pepper: Self.pepper).reveal()
        #expect(!codes.contains(unbound))
    }

    @Test func `what cannot be said in a message is not sent`() {
        #expect(!StepUpSubject(action: .exchange, amount: 1, unit: nil, target: "S7").isSayable)
        #expect(!StepUpSubject(action: .exchange, amount: -1, unit: .points, target: "S7").isSayable)
        #expect(!StepUpSubject(action: .exchange, amount: nil, unit: nil, target: "S\u{0}7").isSayable)
        #expect(StepUpSubject(action: .exchange, amount: 1, unit: .points, target: "S7").isSayable)
    }
}
