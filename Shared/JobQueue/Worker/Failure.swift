internal import FoundationEssentials
internal import Postgres

/// What went wrong with an attempt, as far as it may be written down: a code, never a value of the message.
struct Failure: Sendable, Equatable {
    let code: String
    /// More for the person who looks: the description of errors that are known to quote nothing.
    let detail: String?
    let isPermanent: Bool
    let retryAfter: Duration?
    /// Put off by its handler: no attempt was made.
    let snooze: Duration?

    init(
        code: String, detail: String? = nil, isPermanent: Bool = false, retryAfter: Duration? = nil,
        snooze: Duration? = nil
    ) {
        self.code = code
        self.detail = detail
        self.isPermanent = isPermanent
        self.retryAfter = retryAfter
        self.snooze = snooze
    }

    /// Reads an error that a handler threw.
    init(_ error: any Error) {
        switch error {
        case let error as JobFailure:
            switch error.remedy {
            case .bury: self.init(code: error.code, isPermanent: true)
            case .retry(let delay): self.init(code: error.code, retryAfter: delay)
            case .snooze(let delay): self.init(code: error.code, snooze: delay)
            }
        case let error as DatabaseError:
            self.init(code: error.code.name, detail: error.description)
        default:
            // An unknown error's text may quote a member's data; its type cannot.
            self.init(code: "handler-failed", detail: "\(type(of: error))")
        }
    }

    /// The attempt ran into the end of its lease.
    static let timeout = Failure(code: "timeout")

    /// As the history keeps it.
    var record: JSONB<[String: String]> {
        var fields = ["code": self.code]
        if let detail { fields["detail"] = detail }
        return JSONB(fields)
    }
}

extension Error {
    /// The fence of the database: the job was given to somebody else meanwhile.
    var isLostLease: Bool { self is LostLease || (self as? DatabaseError)?.sqlState == "QL001" }

    /// This process was declared dead meanwhile.
    var isUnknownWorker: Bool { (self as? DatabaseError)?.sqlState == "QL004" }

    /// The database was not there: the statement says nothing about the job.
    var isOutage: Bool {
        guard let error = self as? DatabaseError else { return false }
        return error.code == .connectionLost || self.isCongestion
    }

    /// No connection was to be had: whatever wanted one has not begun.
    var isCongestion: Bool {
        guard let error = self as? DatabaseError else { return false }
        let codes: [DatabaseError.Code] = [
            .cannotConnect, .cannotConnectNow, .tooManyConnections, .poolTimeout, .poolExhausted,
        ]
        return codes.contains(error.code)
    }
}
