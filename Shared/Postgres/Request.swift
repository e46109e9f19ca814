internal import CPostgres

/// Something that a connection is asked to do, from its acceptance to its one answer.
///
/// Confined to the reactor's thread; made elsewhere and handed over.
final class Request: @unchecked Sendable {
    enum Kind {
        /// Prepared once, then run by name.
        case statement(SQL)
        /// Several, in one round trip and one implicit transaction.
        case pipeline([SQL])
        /// Text with any number of statements, without parameters, through the simple protocol.
        case script(String)
        /// Begins a COPY FROM STDIN.
        case copyStart(SQL)
        /// Answered when the bytes have left libpq's memory.
        case copyData([UInt8])
        /// Ends a COPY, or gives it up with a reason for the server.
        case copyEnd(abort: String?)
    }

    typealias Answer = Result<[ResultStorage], any Error>

    let kind: Kind
    var continuation: CheckedContinuation<[ResultStorage], any Error>?
    private var callback: ((Answer) -> Void)?

    var results: [ResultStorage] = []
    var failure: DatabaseError?
    var steps: [Step] = []
    var position = 0
    var wasCancelled = false
    var wasRepeated = false
    /// Everything it caused has been received.
    var isAtRest = false

    /// What the results of a pipeline belong to, in order.
    enum Step {
        case prepare(StatementCache.Key, name: String)
        case execute(StatementCache.Key)
        case deallocate(name: String)
    }

    init(_ kind: Kind, callback: ((Answer) -> Void)? = nil) {
        self.kind = kind
        self.callback = callback
    }

    /// Answers, once; later answers are dropped.
    func answer(_ answer: Answer) {
        let (continuation, callback) = (self.continuation, self.callback)
        (self.continuation, self.callback) = (nil, nil)
        continuation?.resume(with: answer)
        callback?(answer)
    }

    func startOver() {
        self.results = []
        self.failure = nil
        self.steps = []
        self.position = 0
        self.isAtRest = false
    }
}
