import Kernel

/// What a till gathered while it was offline.
struct BatchBody: Decodable, Sendable {
    let operations: [OperationBody]

    struct OperationBody: Decodable, Sendable {
        /// The till's name for the operation; comes back with its answer.
        let key: String
        let receipt: ReceiptBody
    }
}

/// An operation of a batch: a receipt, or what is wrong with it.
struct BatchOperation: Sendable {
    let key: String
    let content: Result<TillReceipt, Violations>

    var receipt: TillReceipt? { try? self.content.get() }
}

extension BatchBody {
    /// The operations, each read for itself. Only a batch that is too long is wrong as a whole.
    func parsed() throws(Violations) -> [BatchOperation] {
        guard self.operations.count <= ReceiptLimits.operationsMax else {
            throw Violations(
                .tooManyOperations, "/operations", "at most \(ReceiptLimits.operationsMax) operations")
        }
        var receipts: [String: TillReceipt] = [:]
        return self.operations.enumerated().map { index, operation in
            let pointer = "/operations/\(index)"
            do throws(Violations) {
                let receipt = try operation.parsed(at: pointer)
                // The same key again is the same operation again, or a mistake of the till.
                guard receipts.updateValue(receipt, forKey: operation.key).map({ $0 == receipt }) ?? true else {
                    throw Violations(.keyReused, pointer + "/key", "an earlier operation of the batch has this key")
                }
                return BatchOperation(key: operation.key, content: .success(receipt))
            } catch {
                return BatchOperation(key: operation.key, content: .failure(error))
            }
        }
    }
}

extension BatchBody.OperationBody {
    fileprivate func parsed(at pointer: String) throws(Violations) -> TillReceipt {
        guard IdempotencyKey(self.key) != nil else {
            throw Violations(.invalidKey, pointer + "/key", IdempotencyKey.requirement)
        }
        return try self.receipt.parsed(at: pointer + "/receipt")
    }
}
