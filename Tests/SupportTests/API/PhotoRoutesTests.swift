import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Photos
@testable import Support

@Suite(.supportDatabase, .capturedLogs, .enabled(if: LibVips.isInstalled)) struct PhotoRoutesTests {
    @Test func `a photo is made anew, kept, and served as a download by a signed link for five minutes`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            let opened = try await client.open(token)
            let path = "/v1/tickets/\(opened.id)/photos"
            let bytes = try SupportWorld.fixture("gps.jpg")
            // Its name and type are the sender's words: the bytes decide.
            let sent = try await client.send(.post, path, bytes, type: "text/html", token: token, key: "1")
            #expect(sent.status == 201, "\(sent.text)")
            #expect(try await client.send(.post, path, bytes, type: nil, token: token, key: "1").status == 201)
            let photo: TicketSeen.Photo = try sent.read()
            #expect(photo.contentType == "image/jpeg" && photo.width == 160 && photo.height == 240)
            let served = try await client.ask(.get, photo.url)
            #expect(served.status == 200)
            #expect(BarePicture.isBare(served.body, .jpeg))
            #expect(!served.text.contains("SecretCamera"))
            #expect(served.headers[.contentType] == "image/jpeg")
            #expect(served.headers[.contentDisposition] == "attachment; filename=\"photo.jpg\"")
            #expect(served.headers[.xContentTypeOptions] == "nosniff")
            #expect(served.headers[.contentSecurityPolicy] == "default-src 'none'; sandbox")
            let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).read()
            #expect(seen.photos.map(\.id) == [photo.id])
            // Without the signature, with another's, and later there is nothing.
            let bare = try #require(photo.url.split(separator: "?").first.map(String.init))
            #expect(try await client.ask(.get, bare).status == 404)
            #expect(try await client.ask(.get, photo.url + "x").status == 404)
            let other = photo.url.replacing("\(photo.id)", with: "\(world.member)")
            #expect(try await client.ask(.get, other).status == 404)
            world.clock.advance(by: .seconds(301))
            #expect(try await client.ask(.get, photo.url).status == 404)
        }
        #expect(
            try await world.count(
                "select count(*) from support.photo where position('Secret'::bytea in content) > 0") == 0)
    }

    @Test func `five photos and no sixth, also when they come at once`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            let opened = try await client.open(token)
            let bytes = try SupportWorld.fixture("gps.png")
            var refusals: [String] = []
            while refusals.filter({ $0 == "too-many-photos" }).count < 3 {
                refusals += try await withThrowingTaskGroup(of: String?.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            try await client.send(
                                .post, "/v1/tickets/\(opened.id)/photos", bytes, type: "image/png", token: token
                            ).problem
                        }
                    }
                    return try await group.reduce(into: [String]()) { if let code = $1 { $0.append(code) } }
                }
            }
            #expect(Set(refusals).subtracting(["too-many-photos", "photos-unavailable"]).isEmpty)
        }
        #expect(try await world.count("select count(*) from support.photo") == 5)
    }

    @Test func `bombs, giants and other files are refused before they are decoded`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            let path = "/v1/tickets/\(try await client.open(token).id)/photos"
            let giant = try SupportWorld.fixture("gps.jpg") + [UInt8](repeating: 0, count: PhotoHeader.bytesMax)
            for (bytes, status, problem) in [
                (try SupportWorld.fixture("bomb.png"), 422, "photo-too-many-pixels"), (giant, 413, "photo-too-large"),
                (Array("<svg onload='x'/>".utf8), 415, "photo-unsupported"),
                (
                    Array(try SupportWorld.fixture("gps.png").prefix(60)) + [UInt8](repeating: 0, count: 900), 422,
                    "photo-unreadable"
                ),
            ] {
                let answer = try await client.send(.post, path, bytes, type: "image/jpeg", token: token)
                #expect(answer.status == status && answer.problem == problem, "\(answer.text)")
            }
        }
        #expect(try await world.count("select count(*) from support.photo") == 0)
    }

    @Test func `without libvips tickets go on without photos`() async throws {
        let world = try SupportWorld(rules: .init(proofBits: 8, openRequestsPerMinute: 1000, photoProgram: "no-such"))
        let token = try await world.token()
        try await world.client { client in
            let path = "/v1/tickets/\(try await client.open(token).id)/photos"
            let answer = try await client.send(
                .post, path, try SupportWorld.fixture("gps.jpg"), type: "image/jpeg", token: token)
            #expect(answer.status == 503 && answer.problem == "photos-unavailable")
        }
    }
}
