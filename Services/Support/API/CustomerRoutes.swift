import HTTPTypes
import Hummingbird
import Kernel
import Photos
import Postgres
import Web

/// What is the same for whoever asks about the own ticket: how they show that it is theirs is another matter.
struct CustomerRoutes: Sendable {
    let database: Database
    let turns: CustomerTurns
    let show: ShowTicket
    let clean: PhotoCleaner
    let idempotency: Idempotency
    let keys: SupportKeys
    let clock: any WallClock

    /// `GET`: the whole ticket.
    func read(_ id: Ticket.ID, by asker: CustomerTurns.Asker) async throws -> Response {
        let view = try await answering { try await self.show(id, to: asker) }
        return try .json(TicketBody(view, self.link))
    }

    /// `POST …/messages`
    func reply(
        _ request: Request, to id: Ticket.ID, by asker: CustomerTurns.Asker, principal: String
    ) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(ReplyBody.self, bytes: bytes)
        return try await self.idempotency.answer(request, principal: principal, body: bytes) { transaction in
            try await answering {
                let ticket = try await self.turns.reply(body.text.text, to: id, by: asker, in: transaction)
                return try .json(TicketSummary(ticket), status: .created)
            }
        }
    }

    /// `POST …/photos`: the body is the picture.
    func attach(
        _ request: Request, to id: Ticket.ID, by asker: CustomerTurns.Asker, principal: String
    ) async throws -> Response {
        // Before ten megabytes are read for nobody.
        _ = try await answering { try await self.show(id, to: asker) }
        let bytes = try await request.bytes(atMost: PhotoHeader.bytesMax, else: .photoTooLarge)
        guard let header = PhotoHeader(bytes) else { throw Problem(.photoUnsupported) }
        guard !header.isTooLarge else { throw Problem(.photoTooManyPixels) }
        let cleaned = try await answering { try await self.clean(bytes, header) }
        return try await self.idempotency.answer(request, principal: principal, body: bytes) { transaction in
            try await answering {
                let photo = try await self.turns.attach(cleaned, to: id, by: asker, in: transaction)
                return try .json(PhotoBody(photo, url: self.link(photo.id)), status: .created)
            }
        }
    }

    /// `PUT …/rating`
    func rate(_ request: Request, _ id: Ticket.ID, by asker: CustomerTurns.Asker) async throws -> Response {
        let mark = try await StrictJSON.decode(RatingBody.self, from: request).checked()
        let ticket = try await answering {
            try await self.database.transaction { transaction in
                try await self.turns.rate(mark, id, by: asker, in: transaction)
            }
        }
        return try .json(TicketSummary(ticket))
    }

    /// Where a photo can be fetched for a while.
    @Sendable func link(_ photo: Photo.ID) -> String {
        PhotoLink(photo: photo, expiresAt: self.clock.now + PhotoLink.lifetime).path(self.keys)
    }
}

extension Request {
    /// The body as it is.
    /// - Throws: a problem of the kind when there is more of it.
    func bytes(atMost limit: Int, else tooLarge: ProblemKind) async throws -> [UInt8] {
        let announced = self.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= limit else { throw Problem(tooLarge) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(announced)
        for try await chunk in self.body {
            guard bytes.count + chunk.readableBytes <= limit else { throw Problem(tooLarge) }
            bytes += chunk.readableBytesView
        }
        return bytes
    }
}
