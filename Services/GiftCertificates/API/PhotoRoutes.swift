import HTTPTypes
import Hummingbird
import Kernel
import Photos
import Web

/// A picture of the giver's own on a gift.
struct PhotoRoutes: Sendable {
    let photo: PutPhoto
    let refusing: Refusing

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.put("certificates/:certificate/photo") { request, context in
            let (member, id) = try Self.subject(context)
            let bytes = try await Self.read(request)
            try await self.refusing { try await self.photo(bytes, on: id, by: member) }
            return Answer.empty()
        }
        group.delete("certificates/:certificate/photo") { _, context in
            let (member, id) = try Self.subject(context)
            try await self.refusing { try await self.photo.remove(from: id, by: member) }
            return Answer.empty()
        }
    }

    /// More than a photo may have is never held in memory.
    private static func read(_ request: Request) async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= PhotoHeader.bytesMax else { throw Problem(.photoTooLarge) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(announced)
        for try await chunk in request.body {
            guard bytes.count + chunk.readableBytes <= PhotoHeader.bytesMax else { throw Problem(.photoTooLarge) }
            bytes += chunk.readableBytesView
        }
        return bytes
    }

    private static func subject(_ context: ClubRequestContext) throws(Problem) -> (Member.ID, GiftCertificate.ID) {
        (try context.requireMember().member, try context.id("certificate", of: GiftCertificate.self))
    }
}
