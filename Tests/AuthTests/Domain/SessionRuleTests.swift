import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct RefreshRulesTests {
    private static let now = Timestamp(secondsSince1970: 1_772_435_400)

    private static func presented(
        expiresIn: Int = 60, rotatedAgo: Int? = nil, revoked: Bool = false
    ) -> RefreshRules.Presented {
        RefreshRules.Presented(
            expiresAt: now + .seconds(expiresIn), rotatedAt: rotatedAgo.map { now - .seconds($0) },
            isSessionRevoked: revoked)
    }

    @Test(
        arguments: [
            (nil, .refuse), (presented(), .rotate), (presented(expiresIn: 0), .refuse),
            (presented(rotatedAgo: 0), .replay), (presented(rotatedAgo: 30), .replay),
            (presented(rotatedAgo: 31), .revokeFamily), (presented(expiresIn: -1, rotatedAgo: 31), .revokeFamily),
            (presented(revoked: true), .refuse), (presented(rotatedAgo: 31, revoked: true), .refuse),
        ] as [(RefreshRules.Presented?, RefreshRules.Decision)])
    func `a refresh token is taken once, replayed within 30 seconds, and betrays its thief after`(
        presented: RefreshRules.Presented?, decision: RefreshRules.Decision
    ) {
        #expect(RefreshRules().decide(presented, at: Self.now) == decision)
    }
}

@Suite struct DeviceNameTests {
    @Test func `a device's name is printable and bounded`() {
        #expect(DeviceName(userAgent: nil).text.isEmpty)
        #expect(DeviceName(userAgent: "Mozilla/5.0\r\n\u{0}\u{7f}\u{85} (X11)").text == "Mozilla/5.0 (X11)")
        let combining = "e" + String(repeating: "\u{301}", count: 5000)
        #expect(DeviceName(userAgent: combining).text.unicodeScalars.count == DeviceName.lengthMax)
    }
}

@Suite struct ConsentTests {
    private let now = Timestamp(secondsSince1970: 1_772_435_400)

    @Test func `terms and personal data are required, marketing is not`() {
        #expect(ConsentChoices(terms: true, personalData: true, marketing: false).missing.isEmpty)
        #expect(ConsentChoices(terms: false, personalData: true, marketing: true).missing == [.terms])
        #expect(ConsentChoices(terms: true, personalData: false, marketing: true).missing == [.personalData])
    }

    @Test func `each choice is a line of its own, marketing one for each channel, refusals too`() {
        let choices = ConsentChoices(terms: true, personalData: true, marketing: false)
        let records = choices.records(textVersion: "7", source: .web, at: self.now)
        #expect(
            records.map { "\($0.purpose.rawValue)/\($0.channel.rawValue)/\($0.isGranted)" } == [
                "terms/any/true", "personal-data/any/true", "marketing/sms/false", "marketing/email/false",
                "marketing/push/false",
            ])
        #expect(records.allSatisfy { $0.textVersion == "7" && $0.source == .web && $0.recordedAt == self.now })
    }
}
