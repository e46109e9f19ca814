import Kernel
import Testing

@Suite struct Base64URLTests {
    @Test(arguments: [[], [0], [255, 255], [0xfb, 0xff, 0xbf], [1, 2, 3, 4]] as [[UInt8]])
    func `base64url is the URL-safe alphabet without padding`(bytes: [UInt8]) {
        let text = Base64URL.encode(bytes)
        #expect(text.utf8.allSatisfy { !"+/=".utf8.contains($0) })
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test(arguments: ["=", "AA==", "a+b", "a/b", "A", "é"])
    func `nothing else is read`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
