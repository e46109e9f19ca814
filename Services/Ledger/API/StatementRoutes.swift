internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import NIOCore
internal import Web

/// `GET /v1/statement`: the own account over a period, as CSV or as PDF.
struct StatementRoutes: Sendable {
    let make: MakeStatement
    let print: PDFPrinter

    /// The forms in which a statement is given.
    private enum Format: String {
        case csv
        case pdf

        var contentType: String { self == .csv ? "text/csv; charset=utf-8; header=present" : "application/pdf" }
    }

    @Sendable func statement(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let format = try request.parameter("format") { Format(rawValue: $0) } ?? .csv
        let from = try request.parameter("from") { Timestamp($0) }
        let to = try request.parameter("to") { Timestamp($0) }
        let bytes: [UInt8]
        do {
            let statement = try await self.make(of: member, from: from, to: to)
            bytes = format == .csv ? Array(statement.csv.utf8) : try await self.print(statement.pages)
        } catch let error as StatementTooLong {
            throw Problem(.statementTooLong, detail: "more than \(error.limit) lines")
        } catch PDFPrinter.Failure.notInstalled {
            throw Problem(.temporarilyUnavailable, detail: "PDF is not available here, CSV is")
        }
        var headers = LedgerRoutes.personal
        headers[.contentType] = format.contentType
        headers[.contentDisposition] = "attachment; filename=\"statement.\(format.rawValue)\""
        headers[.contentLength] = "\(bytes.count)"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension ProblemKind {
    static let statementTooLong = ProblemKind(
        .badRequest, "statement-too-long", ru: "Слишком много операций, выберите период короче",
        en: "Too many lines, choose a shorter period")
}
