import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Support

/// What we sign: nobody else can, and one thing is never good for another.
@Suite struct SignatureTests {
    private let keys = SupportKeys(Secret([UInt8](repeating: 1, count: 32)))
    private let others = SupportKeys(Secret([UInt8](repeating: 2, count: 32)))
    private let ids = IDGenerator.uuidV7(clock: ManualClock(), random: .seeded())
    private let now = SupportWorld.noon

    /// Every way to change one character of a text.
    private func changed(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.indices.map { index in
            var other = bytes
            other[index] = other[index] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
            return String(decoding: other, as: UTF8.self)
        }
    }

    @Test func `a reply address comes back as its ticket, also in capitals, and a changed one as nothing`() throws {
        let ticket = self.ids.next(Ticket.self)
        let address = try #require(ReplyAddress(ticket).address(domain: "support.example", self.keys)).address
        #expect(address.prefix { $0 != "@" }.utf8.count <= 64)
        #expect(ReplyAddress(address, domain: "support.example", self.keys)?.ticket == ticket)
        #expect(ReplyAddress(address.uppercased(), domain: "support.example", self.keys)?.ticket == ticket)
        #expect(ReplyAddress(address, domain: "other.example", self.keys) == nil)
        #expect(ReplyAddress(address, domain: "support.example", self.others) == nil)
        for other in self.changed(address) where other != address {
            #expect(ReplyAddress(other, domain: "support.example", self.keys) == nil, "\(other)")
        }
    }

    @Test func `the key of a ticket opens that ticket, and a changed one none`() {
        let ticket = self.ids.next(Ticket.self)
        let text = OpenTicketKey(ticket).text(self.keys)
        #expect(OpenTicketKey(text, self.keys)?.ticket == ticket)
        #expect(OpenTicketKey(text, self.others) == nil)
        #expect(OpenTicketKey("\(ticket)", self.keys) == nil)
        for other in self.changed(text) where other != text {
            #expect(OpenTicketKey(other, self.keys)?.ticket != ticket)
        }
    }

    @Test func `a link of a photo holds for its time, its photo and nothing else`() throws {
        let link = PhotoLink(photo: self.ids.next(), expiresAt: self.now + PhotoLink.lifetime)
        let signature = try #require(link.path(self.keys).split(separator: "signature=").last.map(String.init))
        #expect(link.isGood(signature: signature, self.keys, at: self.now))
        #expect(!link.isGood(signature: signature, self.keys, at: self.now + .seconds(301)))
        #expect(!link.isGood(signature: signature, self.others, at: self.now))
        let longer = PhotoLink(photo: link.photo, expiresAt: link.expiresAt + .seconds(1))
        #expect(!longer.isGood(signature: signature, self.keys, at: self.now))
        #expect(
            !PhotoLink(photo: self.ids.next(), expiresAt: link.expiresAt).isGood(
                signature: signature, self.keys, at: self.now))
    }

    @Test func `a signature of one purpose is none of another`() {
        let signature = self.keys.sign("x", for: .photo)
        #expect(self.keys.isSigned("x", by: signature, for: .photo))
        #expect(!self.keys.isSigned("x", by: signature, for: .openTicket))
        #expect(!self.keys.isSigned("x", by: Array(signature.prefix(16)), for: .photo))
    }

    @Test func `a puzzle is ours, hard enough, and solved by trying`() throws {
        let challenge = ProofChallenge(nonce: [UInt8](repeating: 7, count: 16), bits: 10, expiresAt: self.now)
        let text = challenge.text(self.keys)
        #expect(ProofChallenge(text, self.keys) == challenge)
        #expect(ProofChallenge(text, self.others) == nil)
        // An easier one, or one that lives longer, is none of ours.
        #expect(ProofChallenge(text.replacing(".10.", with: ".1.", maxReplacements: 1), self.keys) == nil)
        for other in self.changed(text) where other != text {
            #expect(ProofChallenge(other, self.keys) == nil, "\(other)")
        }
        let tries = (0..<100_000).lazy.map(String.init)
        let solution = try #require(tries.first { ProofChallenge.isSolved(text, by: $0, bits: 10) })
        #expect(!ProofChallenge.isSolved(text, by: solution + "x", bits: 30))
        #expect(!ProofChallenge.isSolved(text, by: "", bits: 0))
        #expect(!ProofChallenge.isSolved(text, by: String(repeating: "1", count: 65), bits: 0))
        // One of a thousand tries is right, not one of ten.
        #expect(tries.prefix(2000).filter { ProofChallenge.isSolved(text, by: $0, bits: 10) }.count < 20)
    }
}
