import Foundation
import TestSupport
import Testing

@testable import Club

/// Pictures that are more than they look.
extension Attack {
    private static func fixture(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(WalkThroughTests.repository)/Tests/SupportTests/Fixtures/\(name)"))
    }

    func `a bomb opens nowhere, and the services go on`() async throws {
        let places: [(String, ServicePart, String, String, String)] = [
            ("POST", .support, "ticket", "/v1/tickets", "photos"),
            ("PUT", .gifts, "certificate", "/v1/certificates", "photo"),
        ]
        let session = self.crowd.member.session
        for (method, part, parameter, folder, photo) in places {
            let id = try #require(self.belongings.ids[.init(part: part, parameter: parameter)])
            let path = "\(folder)/\(id)/\(photo)"
            let refused = try await session.send(method, part, path, photo: try Self.fixture("bomb.png"))
            #expect([413, 422].contains(refused.status), "\(part): \(refused.text)")
            let taken = try await session.send(method, part, path, photo: try Self.fixture("gps.jpg"))
            #expect((200..<300).contains(taken.status), "\(part): \(taken.text)")
        }
    }
}
