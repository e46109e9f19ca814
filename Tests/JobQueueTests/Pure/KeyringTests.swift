import Kernel
import Postgres
import Testing

@testable import JobQueue

struct KeyringTests {
    private let secret = String(repeating: "a", count: 43) + "="

    @Test func `entries stand between commas, blanks and line ends, the newest first`() throws {
        let ring = try Keyring(Secret("b:\(self.secret), a:\(self.secret)\n"))
        #expect(try ring.seal("{}", at: "here").key == "b")
        #expect(ring.has("a") && !ring.has("c"))
        #expect("\(ring)" == "***")
    }

    @Test(arguments: ["", "noname", "a:", "a:!!!!", "a:c2hvcnQ=", "ä:%", "a b:%", "a:%,a:%"])
    func `keys that make no sense are refused, without being quoted`(text: String) {
        let error = #expect(throws: InvalidKeyring.self) {
            try Keyring(Secret(text.replacing("%", with: self.secret)))
        }
        #expect(error.map { !"\($0)".contains(self.secret) && !"\($0)".contains("c2hvcnQ") } == true)
    }

    @Test func `a text opens where it was sealed for, with its key, unchanged, and nowhere else`() throws {
        let ring = try Keyring(Secret("a:\(self.secret)"))
        let sealed = try ring.seal("{\"phone\": 1}", at: "here")
        #expect(ring.open(sealed, at: "here") == Array("{\"phone\": 1}".utf8))
        #expect(ring.open(sealed, at: "there") == nil)
        #expect(try Keyring(Secret("a:" + String(repeating: "b", count: 43) + "=")).open(sealed, at: "here") == nil)
        #expect(try Keyring(Secret("b:\(self.secret)")).open(sealed, at: "here") == nil)
        for position in sealed.ciphertext.indices {
            var bytes = sealed.ciphertext
            bytes[position] ^= 1
            let changed = SealedText(key: "a", nonce: sealed.nonce, ciphertext: bytes)
            #expect(ring.open(changed, at: "here") == nil)
        }
        #expect(try ring.seal("{}", at: "here").nonce != ring.seal("{}", at: "here").nonce)
    }

    @Test func `what is written is what is read; other JSON is not taken for it`() throws {
        let sealed = SealedText(key: "a", nonce: [1, 2], ciphertext: [3, 255])
        #expect(SealedText(Array(sealed.json.text.utf8)) == sealed)
        let others = [
            "{}", "null", #"{"c": "", "k": "a"}"#, #"{"c": 1, "k": "a", "n": ""}"#,
            #"{"c": "", "d": "", "k": "a", "n": ""}"#, #"{"c": "=", "k": "a", "n": ""}"#,
        ]
        for other in others { #expect(SealedText(Array(other.utf8)) == nil) }
    }

    @Test func `in a queue that is not encrypted, what only looks sealed is no ciphertext`() throws {
        let text = Array(SealedText(key: "other", nonce: [1], ciphertext: [2]).json.text.utf8)
        let cipher = MessageCipher(keyring: try Keyring(Secret("a:\(self.secret)")))
        let place = MessageCipher.Place.result(of: 1)
        #expect(try cipher.open(text, place, isEncrypted: false) == text)
        #expect(throws: JobFailure.permanent("unreadable-message")) {
            try cipher.open(text, place, isEncrypted: true)
        }
    }
}
