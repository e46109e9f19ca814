import Kernel

/// What a till gathered while it was offline.
struct BatchBody: Decodable, Sendable {
    let operations: [OperationBody]

    struct OperationBody: Decodable, Sendable {
        /// The till's name for the operation; comes back with its answer.
        let key: String
        /// One of the two.
        let receipt: ReceiptBody?
        let `return`: ReturnBody?
    }
}

/// An operation of a batch: a receipt or a return, or what is wrong with it.
struct BatchOperation: Sendable {
    enum Content: Hashable, Sendable {
        case receipt(TillReceipt)
        case `return`(TillReturn)
    }

    let key: String
    let content: Result<Content, Violations>

    var receipt: TillReceipt? {
        if case .success(.receipt(let receipt)) = self.content { receipt } else { nil }
    }
}

extension BatchBody {
    /// The operations, each read for itself. Only a batch that is too long is wrong as a whole.
    func parsed() throws(Violations) -> [BatchOperation] {
        guard self.operations.count <= ReceiptLimits.operationsMax else {
            throw Violations(
                .tooManyOperations, "/operations", "at most \(ReceiptLimits.operationsMax) operations")
        }
        var contents: [String: BatchOperation.Content] = [:]
        return self.operations.enumerated().map { index, operation in
            let pointer = "/operations/\(index)"
            do throws(Violations) {
                let content = try operation.parsed(at: pointer)
                // The same key again is the same operation again, or a mistake of the till.
                guard contents.updateValue(content, forKey: operation.key).map({ $0 == content }) ?? true else {
                    throw Violations(.keyReused, pointer + "/key", "an earlier operation of the batch has this key")
                }
                return BatchOperation(key: operation.key, content: .success(content))
            } catch {
                return BatchOperation(key: operation.key, content: .failure(error))
            }
        }
    }
}

extension BatchBody.OperationBody {
    fileprivate func parsed(at pointer: String) throws(Violations) -> BatchOperation.Content {
        guard IdempotencyKey(self.key) != nil else {
            throw Violations(.invalidKey, pointer + "/key", IdempotencyKey.requirement)
        }
        switch (self.receipt, self.return) {
        case (let receipt?, nil): return .receipt(try receipt.parsed(at: pointer + "/receipt"))
        case (nil, let goods?): return .return(try goods.parsed(at: pointer + "/return"))
        default: throw Violations(.invalidOperation, pointer, "a receipt or a return")
        }
    }
}
