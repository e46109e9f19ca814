import Kernel
import Postgres

/// Pictures of the givers' own, sealed.
struct PhotoStore: Sendable {
    func put(
        _ sealed: [UInt8], of certificate: GiftCertificate.ID, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into gift_certificates.photo (certificate_id, picture)
            values (\(certificate), \(sealed))
            on conflict (certificate_id) do update
            set picture = excluded.picture
            """)
    }

    func remove(of certificate: GiftCertificate.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            "delete from gift_certificates.photo where certificate_id = \(certificate)")
    }

    func find(
        of certificate: GiftCertificate.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [UInt8]? {
        try await runner.first(
            "select picture from gift_certificates.photo where certificate_id = \(certificate)"
        )?.decode([UInt8].self)
    }
}
