import Crypto
import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct VaultTests {
    private let ids = IDGenerator.seeded()

    private func vault(_ master: UInt8 = 1, _ lookup: UInt8 = 2) throws -> Vault {
        try #require(
            Vault(
                master: Secret([UInt8](repeating: master, count: 32)),
                lookup: Secret([UInt8](repeating: lookup, count: 32))))
    }

    @Test func `secrets that are too short make no vault`() {
        let (short, long) = (Secret([UInt8](repeating: 1, count: 31)), Secret([UInt8](repeating: 1, count: 32)))
        #expect(Vault(master: short, lookup: long) == nil)
        #expect(Vault(master: long, lookup: short) == nil)
    }

    @Test func `what is sealed opens where it was sealed, and nowhere else`() throws {
        let sealed = try self.vault().seal([1, 2, 3], at: "here")
        #expect(try self.vault().open(sealed, at: "here") == [1, 2, 3])
        #expect(throws: Envelope.Damaged.self) { try self.vault().open(sealed, at: "there") }
        #expect(throws: Envelope.Damaged.self) { try self.vault(9).open(sealed, at: "here") }
        #expect(throws: Envelope.Damaged.self) { try self.vault().open([2] + sealed.dropFirst(), at: "here") }
        #expect(throws: Envelope.Damaged.self) { try self.vault().open([], at: "here") }
        for index in sealed.indices.dropFirst() {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: Envelope.Damaged.self) { try self.vault().open(changed, at: "here") }
        }
    }

    @Test func `the same text sealed twice looks different`() throws {
        #expect(try self.vault().seal([1], at: "here") != self.vault().seal([1], at: "here"))
    }

    @Test func `a member's fields open with that member's key only`() throws {
        let vault = try self.vault()
        let (anna, boris): (Member.ID, Member.ID) = (self.ids.next(), self.ids.next())
        let (key, wrapped) = try vault.makeMemberKey(for: anna, random: .seeded())
        let name = try #require(FullName(last: "Иванова", first: "Анна", middle: "Петровна"))
        let sealed = try key.seal(name)
        #expect(try vault.unwrap(wrapped, of: anna).openName(sealed) == name)
        #expect(throws: Envelope.Damaged.self) { try vault.unwrap(wrapped, of: boris) }
        #expect(throws: Envelope.Damaged.self) { try key.open(sealed, field: .phone) }
        #expect(throws: Envelope.Damaged.self) { try self.vault(9).unwrap(wrapped, of: anna) }
    }

    @Test func `a phone is found by a value that only the look-up secret gives`() throws {
        let phone = try PhoneNumber(parsing: "+79161234567")
        #expect(try self.vault().index(phone) == self.vault(9).index(phone))
        #expect(try self.vault().index(phone) != self.vault(1, 9).index(phone))
        #expect(try self.vault().index(phone) != Array(SHA256.hash(data: Array(phone.e164.utf8))))
        let sealed = try self.vault().seal(phone)
        #expect(try self.vault().openPhone(sealed, index: self.vault().index(phone)) == phone)
    }
}

@Suite struct TokenTextTests {
    @Test func `an opaque token reads back, and only its own text does`() throws {
        let token = OpaqueToken(.seeded())
        let text = token.reveal()
        #expect(text.utf8.count == 43)
        #expect(OpaqueToken(text) == token)
        #expect(OpaqueToken(String(text.dropLast())) == nil)
        #expect(OpaqueToken(text + "=") == nil)
        #expect(OpaqueToken("") == nil)
        #expect(!"\(token) \(String(reflecting: token))".contains(text))
    }

    @Test func `a successor opens with its predecessor only`() throws {
        let random = RandomBytes.seeded()
        let (first, second, other) = (OpaqueToken(random), OpaqueToken(random), OpaqueToken(random))
        let sealed = try first.sealSuccessor(second)
        #expect(try first.openSuccessor(sealed) == second)
        #expect(throws: Envelope.Damaged.self) { try other.openSuccessor(sealed) }
    }

    @Test func `a till's key has 160 random bits of secret and its hash is the secret's`() throws {
        let key = TillKeyText(.seeded())
        let parts = key.reveal().split(separator: "_").map(String.init)
        #expect(parts.count == 3)
        #expect(parts[0] == "ck")
        #expect(parts[1] == key.id && key.id.utf8.count == 16)
        #expect(parts[2].utf8.count * 5 == 160)
        #expect(key.secretHash == Array(SHA256.hash(data: Array(parts[2].utf8))))
        #expect(!"\(key) \(String(reflecting: key))".contains(parts[2]))
        #expect(TillKeyText(RandomBytes { [UInt8](repeating: 0xff, count: $0) }).id == "zzzzzzzzzzzzzzzz")
    }
}
