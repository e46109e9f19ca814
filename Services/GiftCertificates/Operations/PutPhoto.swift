import Kernel
import Photos
import Postgres

/// Puts a picture of the giver's own on a draft, by the way that support's photos go: looked at, decoded and written
/// anew by a process of its own. It is sealed, and gone when the giver is erased.
struct PutPhoto: Sendable {
    private let database: Database
    private let sealer: GiftSealer
    private let clean: PhotoCleaner
    private let certificates = CertificateStore()
    private let photos = PhotoStore()

    init(database: Database, sealer: GiftSealer, clean: PhotoCleaner) {
        (self.database, self.sealer, self.clean) = (database, sealer, clean)
    }

    /// - Throws: ``GiftRefusal``.
    func callAsFunction(_ bytes: [UInt8], on id: GiftCertificate.ID, by member: Member.ID) async throws {
        // Before the work: whose draft it is not has nothing decoded.
        try await self.database.transaction { transaction in try await self.check(id, by: member, in: transaction) }
        guard let header = PhotoHeader(bytes), !header.isTooLarge else { throw GiftRefusal.notAPicture }
        let cleaned: PhotoCleaner.Cleaned
        do {
            cleaned = try await self.clean(bytes, header)
        } catch let failure as PhotoCleaner.Failure {
            throw failure == .unreadable ? GiftRefusal.notAPicture : GiftRefusal.unavailable
        }
        let sealed = try self.sealer.vault.seal(cleaned.bytes, .photo, of: id)
        try await self.database.transaction { transaction in
            try await self.check(id, by: member, in: transaction)
            try await self.photos.put(sealed, of: id, in: transaction)
        }
    }

    /// - Throws: ``GiftRefusal``.
    func remove(from id: GiftCertificate.ID, by member: Member.ID) async throws {
        try await self.database.transaction { transaction in
            try await self.check(id, by: member, in: transaction)
            try await self.photos.remove(of: id, in: transaction)
        }
    }

    private func check(
        _ id: GiftCertificate.ID, by member: Member.ID, in transaction: borrowing Transaction
    ) async throws {
        guard let certificate = try await self.certificates.lock(id, in: transaction), certificate.buyer == member
        else {
            throw GiftRefusal.unknown
        }
        guard certificate.state == .draft else { throw GiftRefusal.wrongState(certificate.state) }
        guard certificate.payment == nil else { throw GiftRefusal.paymentUnderWay }
    }
}
