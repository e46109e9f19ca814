import Kernel
import Postgres

@testable import Auth

extension AuthWorld {
    /// Every row of every table of auth and of the queue as text, but for the development gateway's outbox, whose
    /// purpose is to hold what was sent.
    func dump() async throws -> String {
        let tables = try await self.owner.query(
            """
            select quote_ident(schemaname) || '.' || quote_ident(tablename)
            from pg_tables
            where schemaname in ('auth', 'queue') and tablename <> 'sms_outbox'
            """
        ).map { try $0.decode(String.self) }
        var text = ""
        for table in tables {
            let parts = table.split(separator: ".").map(String.init)
            for row in try await self.owner.query("select t::text from \(identifier: parts[0], parts[1]) t") {
                text += try table + row.decode(String.self) + "\n"
            }
        }
        return text
    }
}

extension [UInt8] {
    /// As PostgreSQL prints a bytea.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: self.flatMap { byte in [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }, as: UTF8.self)
    }
}
