internal import CPostgres

extension Wire {
    enum Progress { case more, copying, done }

    // MARK: Sending

    func send(_ request: Request, on handle: OpaquePointer) throws {
        switch request.kind {
        case .copyData(let bytes):
            guard self.isCopying else { throw DatabaseError(.misuse, context: "no COPY is open") }
            let status = bytes.withUnsafeBytes {
                PQputCopyData(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
            }
            try self.check(status == 1)
        case .copyEnd(let reason):
            guard self.isCopying else { throw DatabaseError(.misuse, context: "no COPY is open") }
            self.endCopy()
            try self.check(PQputCopyEnd(handle, reason) == 1)
        case .statement, .pipeline, .script, .copyStart:
            guard !self.isCopying else { throw DatabaseError(.misuse, context: "a COPY is open") }
            try self.sendStatements(request, on: handle)
        }
    }

    private func sendStatements(_ request: Request, on handle: OpaquePointer) throws {
        switch request.kind {
        case .statement(let sql):
            try self.checkParameters(sql)
            guard self.preparesStatements else { return try self.sendWhole([sql], request, handle) }
            let key = StatementCache.Key(text: sql.text, types: sql.parameters.types)
            guard let name = self.cache.name(for: key) else { return try self.sendPipeline([sql], request, handle) }
            request.steps = [.execute(key)]
            try self.execute(name, sql.parameters, handle)
        case .pipeline(let statements):
            try statements.forEach(self.checkParameters)
            guard self.preparesStatements else { return try self.sendWhole(statements, request, handle) }
            try self.sendPipeline(statements, request, handle)
        case .script(let text):
            try self.check(PQsendQuery(handle, text) == 1)
        case .copyStart(let sql):
            try self.check(PQsendQuery(handle, sql.text) == 1)
        case .copyData, .copyEnd:
            break
        }
    }

    private func sendPipeline(_ statements: [SQL], _ request: Request, _ handle: OpaquePointer) throws {
        try self.check(PQenterPipelineMode(handle) == 1)
        // A statement that occurs twice is prepared once.
        var prepared: [StatementCache.Key: String] = [:]
        for sql in statements {
            let key = StatementCache.Key(text: sql.text, types: sql.parameters.types)
            if let name = self.cache.name(for: key) ?? prepared[key] {
                try self.execute(name, sql.parameters, handle)
            } else {
                let name = self.cache.makeName()
                prepared[key] = name
                try self.check(PQsendPrepare(handle, name, sql.text, Int32(key.types.count), key.types) == 1)
                request.steps.append(.prepare(key, name: name))
                try self.execute(name, sql.parameters, handle)
            }
            request.steps.append(.execute(key))
        }
        // Behind everything else: a statement that fails must not be one of these.
        for name in self.cache.stale {
            try self.check(PQsendQueryParams(handle, "deallocate \(name)", 0, nil, nil, nil, nil, 1) == 1)
            request.steps.append(.deallocate(name: name))
        }
        try self.check(PQpipelineSync(handle) == 1)
    }

    /// Leaves nothing behind in the session.
    private func sendWhole(_ statements: [SQL], _ request: Request, _ handle: OpaquePointer) throws {
        try self.check(PQenterPipelineMode(handle) == 1)
        for sql in statements {
            let types = sql.parameters.types
            let sent = sql.parameters.withPointers { count, values, lengths, formats in
                PQsendQueryParams(handle, sql.text, count, types, values, lengths, formats, 1)
            }
            try self.check(sent == 1)
            request.steps.append(.execute(StatementCache.Key(text: sql.text, types: types)))
        }
        try self.check(PQpipelineSync(handle) == 1)
    }

    private func execute(_ name: String, _ parameters: Parameters, _ handle: OpaquePointer) throws {
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        }
        try self.check(sent == 1)
    }

    private func checkParameters(_ sql: SQL) throws {
        if let failure = sql.parameters.failure { throw failure }
        // The protocol counts parameters in 16 bits.
        guard sql.parameters.count <= Int(UInt16.max) else {
            throw DatabaseError(.encodingFailed, context: "\(sql.parameters.count) parameters")
        }
    }

    private func check(_ ok: Bool) throws {
        guard !ok else { return }
        // Half a request may have been handed to libpq: nothing that comes back could be matched any more.
        let error = DatabaseError(.connectionLost, context: "libpq refused a request")
        self.close(error)
        throw error
    }

    // MARK: Receiving

    /// Takes one result of libpq; nil ends a statement, and outside of a pipeline the request.
    func take(_ result: ResultStorage?, for request: Request) -> Progress {
        guard let result else {
            // Of a pipeline, be it of one statement only, the end is its synchronisation point.
            guard PQpipelineStatus(self.handle) != PQ_PIPELINE_OFF else { return .done }
            request.position += 1
            return .more
        }
        switch result.status {
        case PGRES_PIPELINE_SYNC: return .done
        case PGRES_COPY_IN:
            if case .copyStart = request.kind { return .copying }
            return self.refuseCopy()
        case PGRES_COPY_OUT, PGRES_COPY_BOTH: return self.refuseCopy()
        default: break
        }
        let step = request.position < request.steps.count ? request.steps[request.position] : nil
        if let error = result.error {
            self.note(error, of: result, at: step, for: request)
        } else {
            self.keep(result, at: step, for: request)
        }
        return .more
    }

    /// A statement that turned out to be a COPY: libpq would report it for ever, and nobody is there to carry it on.
    private func refuseCopy() -> Progress {
        self.close(DatabaseError(.misuse, context: "COPY goes through Transaction.copy"))
        return .more
    }

    private func keep(_ result: ResultStorage, at step: Request.Step?, for request: Request) {
        switch step {
        case .prepare(let key, let name): self.cache.insert(key, name: name)
        case .deallocate(let name): self.cache.deallocated(name)
        case .execute, nil: request.results.append(result)
        }
    }

    private func note(
        _ error: DatabaseError, of result: ResultStorage, at step: Request.Step?, for request: Request
    ) {
        // The first failure is the reason; the rest is only aborted by it.
        guard request.failure == nil else { return }
        switch step {
        case .deallocate(let name):
            // It does not exist, which is what was wanted.
            self.cache.deallocated(name)
        case .execute(let key) where self.isInvalidated(error, result):
            self.cache.invalidate(key)
            request.failure = DatabaseError(
                .planInvalidated, sqlState: error.sqlState, message: error.message, detail: error.detail)
        case .prepare, .execute, nil:
            request.failure = error
        }
    }

    /// "cached plan must not change result type" has no SQLSTATE of its own and its text is translated, but the
    /// function that raises it is named; 26000 says that the server has forgotten the statement.
    private func isInvalidated(_ error: DatabaseError, _ result: ResultStorage) -> Bool {
        error.sqlState == "26000" || (error.sqlState == "0A000" && result.field("R") == "RevalidateCachedQuery")
    }
}
