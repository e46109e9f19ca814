import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Photos
import Postgres
import Web

/// Photos by their signed addresses. They come from strangers: a browser is told to save them, to guess nothing, and to run
/// nothing.
struct PhotoRoutes: Sendable {
    let database: Database
    let keys: SupportKeys
    let clock: any WallClock
    private let store = ThreadStore()

    init(database: Database, keys: SupportKeys, clock: any WallClock) {
        (self.database, self.keys, self.clock) = (database, keys, clock)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("photos/:photo", use: self.photo)
    }

    /// A wrong signature, a late one and an unknown photo are answered alike.
    @Sendable private func photo(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let query = request.uri.queryParameters
        let id = try context.id("photo", of: Photo.self)
        guard let seconds = query["expires"].flatMap({ Int64($0) }), let signature = query["signature"] else {
            throw Problem(.notFound)
        }
        let link = PhotoLink(photo: id, expiresAt: Timestamp(secondsSince1970: seconds))
        guard link.isGood(signature: String(signature), self.keys, at: self.clock.now),
            let photo = try await self.store.photo(id, in: self.database),
            let kind = PhotoHeader.Kind.allCases.first(where: { $0.contentType == photo.contentType })
        else { throw Problem(.notFound) }
        return Response(
            status: .ok,
            headers: [
                .contentType: kind.contentType,
                .contentDisposition: "attachment; filename=\"photo.\(kind.suffix)\"",
                .xContentTypeOptions: "nosniff",
                .contentSecurityPolicy: "default-src 'none'; sandbox",
                .cacheControl: "private, no-store",
                // The cabinet and the console, which show it, are other origins of the same site.
                .crossOriginResourcePolicy: "same-site",
                .contentLength: "\(photo.content.count)",
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: photo.content)))
    }
}
