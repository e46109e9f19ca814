import FoundationEssentials
import Kernel
import Photos
import Postgres
import TestSupport
import Testing

@testable import GiftCertificates

/// A picture of the giver's own on a gift: the same way as support's photos.
@Suite(.gifts, .enabled(if: Tools.hasVips)) struct PhotoTests {
    @Test func `a photo is on the card, without the place where it was taken, and sealed in the database`() async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member()
            let draft: CertificateSeen = try await anna.draft(Giver.gift()).json()
            let photo = try Self.fixture("gps.jpg")
            #expect(try await Self.put(photo, on: draft.id, by: anna).status == 204)
            let card = try await anna.client().get("/v1/certificates/\(draft.id)/card.svg").text
            let start = try #require(card.firstRange(of: "data:image/jpeg;base64,")).upperBound
            let data = try #require(Data(base64Encoded: String(card[start...].prefix { $0 != "\"" })))
            #expect(PhotoHeader(Array(data))?.kind == .jpeg)
            #expect(!String(decoding: data, as: UTF8.self).contains("Exif"))
            let stored: [UInt8] = try await world.neighbour.look("select picture from gift_certificates.photo")
            #expect(PhotoHeader(stored) == nil)
            #expect(try await anna.client().send("DELETE", "/v1/certificates/\(draft.id)/photo").status == 204)
            #expect(try await !anna.client().get("/v1/certificates/\(draft.id)/card.svg").text.contains("data:image"))
        }
    }

    @Test func `what is no picture, a bomb, too large, another's or paid for is refused`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let draft: CertificateSeen = try await anna.draft(Giver.gift()).json()
            #expect(try await Self.put(Data("<svg/>".utf8), on: draft.id, by: anna).problem == "not-a-picture")
            #expect(try await Self.put(try Self.fixture("bomb.png"), on: draft.id, by: anna).problem == "not-a-picture")
            let photo = try Self.fixture("gps.jpg")
            let giant = photo + Data(repeating: 0, count: PhotoHeader.bytesMax)
            #expect(try await Self.put(giant, on: draft.id, by: anna).problem == "photo-too-large")
            #expect(try await Self.put(photo, on: draft.id, by: try await world.member()).status == 404)
            _ = try await anna.pay(draft.id)
            #expect(try await Self.put(photo, on: draft.id, by: anna).problem == "wrong-state")
        }
    }

    private static func put(_ photo: Data, on id: String, by giver: Giver) async throws -> HTTPTestAnswer {
        try await giver.client().send(
            "PUT", "/v1/certificates/\(id)/photo", body: photo, headers: ["content-type": "image/jpeg"])
    }

    /// The pictures are those that support's tests are shown.
    private static func fixture(_ name: String) throws -> Data {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: folder.appending(path: "SupportTests/Fixtures/\(name)"))
    }
}
