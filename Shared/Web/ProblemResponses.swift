import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Postgres

/// Turns whatever is thrown into a problem document.
///
/// A ``Problem`` is answered as it is. What Hummingbird throws becomes a problem of the same status, the database being
/// away becomes 503 `temporarily-unavailable`, and everything else 500 `internal-error`, logged here, once, by its type:
/// the text of an unknown error may quote what a customer sent.
struct ProblemResponses: RouterMiddleware {
    func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = Self.problem(for: error)
            if problem.kind == .internalError {
                context.logger.error(
                    "Request failed",
                    metadata: [
                        "http.method": "\(request.method.rawValue)",
                        "http.route": "\(context.endpointPath ?? "-")",
                        "error.type": "\(String(reflecting: type(of: error)))",
                        "error.code": "\((error as? DatabaseError)?.description ?? "-")",
                    ])
            } else {
                context.logger.debug(
                    "Request refused",
                    metadata: [
                        "problem": "\(problem.kind.code)",
                        "error.code": "\((error as? DatabaseError)?.description ?? "-")",
                    ])
            }
            return try problem.response()
        }
    }

    private static func problem(for error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as DatabaseError where error.passesByItself:
            Problem(.temporarilyUnavailable, retryAfter: .seconds(1))
        case is any TemporaryFailure, is CancellationError:
            Problem(.temporarilyUnavailable, retryAfter: .seconds(1))
        case let error as any HTTPResponseError: Self.problem(forStatus: error.status)
        default: Problem(.internalError)
        }
    }

    private static func problem(forStatus status: HTTPResponse.Status) -> Problem {
        switch status {
        case .notFound: Problem(.notFound)
        case .methodNotAllowed: Problem(.methodNotAllowed)
        case .contentTooLarge: Problem(.bodyTooLarge)
        case .unsupportedMediaType: Problem(.unsupportedMediaType)
        case .unauthorized: Problem(.tokenMissing, headers: [.wwwAuthenticate: "Bearer"])
        case .serviceUnavailable: Problem(.temporarilyUnavailable, retryAfter: .seconds(1))
        case _ where status.kind == .clientError: Problem(.badRequest)
        default: Problem(.internalError)
        }
    }
}

extension DatabaseError {
    /// Whether nothing is wrong but the moment: no connection to be had, a conflict, a statement that took too long.
    fileprivate var passesByItself: Bool {
        let passing: [Code] = [
            .poolClosed, .poolExhausted, .poolTimeout, .statementCanceled, .idleInTransactionTimeout,
        ]
        return self.isRetryable || passing.contains(self.code)
    }
}
