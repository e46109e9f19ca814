import Foundation
import Kernel
import Testing

@testable import Club

@Suite struct ScramVerifierTests {
    /// The salt and password of RFC 7677's example; the verifier was computed by Python's hashlib.
    private static let stored =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        + "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

    @Test func `a verifier is what RFC 7677 says`() throws {
        let salt = try #require(Data(base64Encoded: "W22ZaJ0SNY7soEsUEjb6gQ=="))
        #expect(ScramVerifier(password: Secret("pencil"), salt: Array(salt)).description == Self.stored)
    }

    @Test func `only its own password matches`() {
        #expect(ScramVerifier.matches(Self.stored, password: Secret("pencil")))
        #expect(!ScramVerifier.matches(Self.stored, password: Secret("Pencil")))
        #expect(!ScramVerifier.matches("md5c0ffee", password: Secret("pencil")))
        #expect(!ScramVerifier.matches("", password: Secret("pencil")))
    }
}
