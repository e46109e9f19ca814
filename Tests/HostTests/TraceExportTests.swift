import Kernel
import Logging
import Metrics
import TestSupport
import Testing
import Tracing

@testable import Telemetry

/// What goes to the collector of traces, and what becomes of it when the collector does not play along.
@Suite struct TraceExportTests {
    private struct Failed: Error, CustomStringConvertible { let description: String }

    private let metrics = PrometheusMetrics()

    private func exporter(to endpoint: String) -> SpanExporter {
        withMetricsFactory(self.metrics) {
            SpanExporter(
                endpoint: endpoint, service: "club-test", instance: "here",
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }
    }

    /// The value of a series of ours.
    private func count(_ series: String) -> Int? {
        self.metrics.text().split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .flatMap { Int($0.dropFirst(series.count + 1)) }
    }

    @Test func `a span goes out with its parent, kind, times and attributes, and without texts of errors or URLs`()
        async throws
    {
        try await TraceCollector.run { collector, endpoint in
            let exporter = self.exporter(to: endpoint)
            let tracer = SpanTracer(exporter: exporter, percent: 100)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await exporter.run() }
                let outer = tracer.startSpan("outer", context: .topLevel, ofKind: .server)
                let inner = tracer.startSpan("inner", context: outer.context, ofKind: .producer)
                inner.attributes["queue.attempt"] = 3
                inner.attributes["messaging.system"] = "club_queue"
                inner.attributes["url.full"] = "http://gateway/send?to=+79161234567&text=4821"
                inner.recordError(Failed(description: "card 4276 1234"), attributes: [:])
                inner.end()
                inner.end()
                outer.end()
                try await eventually("both arrive") { collector.spans.count == 2 }
                group.cancelAll()
            }
            let inner = try #require(collector.spans.first { $0.name == "inner" })
            let outer = try #require(collector.spans.first { $0.name == "outer" })
            #expect(inner.traceId == outer.traceId && inner.traceId.count == 32)
            #expect(inner.parentSpanId == outer.spanId && outer.parentSpanId == nil)
            #expect([outer.kind, inner.kind] == [2, 4])
            #expect(inner.status?.code == 2 && outer.status == nil)
            #expect(inner.attribute("queue.attempt") == "3")
            #expect(inner.attribute("messaging.system") == "club_queue")
            #expect(inner.attribute("error.type") == "Failed")
            let (begin, end) = (UInt64(inner.startTimeUnixNano), UInt64(inner.endTimeUnixNano))
            #expect(try #require(begin) <= #require(end))
            #expect(outer.service == "club-test")
            #expect(!collector.texts.contains { $0.contains("4276") || $0.contains("7916") || $0.contains("4821") })
            #expect(self.count("club_traces_exported_total") == 2)
        }
    }

    @Test func `a collector that is busy is asked again, one that refuses is not, and both are counted`() async throws {
        try await TraceCollector.run(answers: [503, 400]) { collector, endpoint in
            let exporter = self.exporter(to: endpoint)
            let tracer = SpanTracer(exporter: exporter, percent: 100)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await exporter.run() }
                tracer.startSpan("refused", context: .topLevel, ofKind: .server).end()
                try await eventually("it was asked twice") {
                    self.count(#"club_traces_dropped_total{reason="refused"}"#) == 1
                }
                #expect(collector.requests == 2)
                tracer.startSpan("taken", context: .topLevel, ofKind: .server).end()
                try await eventually("the next one is taken") { collector.spans.count == 1 }
                group.cancelAll()
            }
            #expect(collector.spans.map(\.name) == ["taken"])
            #expect(collector.requests == 3)
        }
    }

    @Test func `what finds the buffer full is dropped and counted, and nobody waits`() async throws {
        let exporter = self.exporter(to: "http://127.0.0.1:9")
        let tracer = SpanTracer(exporter: exporter, percent: 100)
        for _ in 0..<SpanExporter.bufferMax + 7 {
            tracer.startSpan("span", context: .topLevel, ofKind: .server).end()
        }
        #expect(self.count(#"club_traces_dropped_total{reason="full"}"#) == 7)
    }

    @Test func `spans of a collector that nobody answers for are dropped in the end, and counted`() async throws {
        let exporter = self.exporter(to: "http://127.0.0.1:\(try FreePort.next())")
        let tracer = SpanTracer(exporter: exporter, percent: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await exporter.run() }
            tracer.startSpan("lost", context: .topLevel, ofKind: .server).end()
            try await eventually("it is dropped", within: .seconds(120)) {
                self.count(#"club_traces_dropped_total{reason="unreachable"}"#) == 1
            }
            group.cancelAll()
        }
    }

    @Test func `a caller that does not record its trace is followed: the header goes on and no span goes out`()
        async throws
    {
        try await TraceCollector.run { collector, endpoint in
            let exporter = self.exporter(to: endpoint)
            let tracer = SpanTracer(exporter: exporter, percent: 100)
            let caller = TraceContext.root(random: .system, isSampled: false)
            var context = InstrumentationContext.topLevel
            tracer.extract(["traceparent": caller.traceparent], into: &context, using: Headers())
            let span = tracer.startSpan("silent", context: context, ofKind: .server)
            var headers: [String: String] = [:]
            tracer.inject(span.context, into: &headers, using: Headers())
            let header = try #require(headers["traceparent"].flatMap { TraceContext(traceparent: $0) })
            #expect(header.traceID == caller.traceID && header.spanID != caller.spanID && !header.isSampled)
            #expect(!span.isRecording)
            span.end()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await exporter.run() }
                tracer.startSpan("own", context: .topLevel, ofKind: .server).end()
                try await eventually("the other one arrives") { !collector.spans.isEmpty }
                group.cancelAll()
            }
            #expect(collector.spans.map(\.name) == ["own"])
        }
    }

    @Test func `of the traces that begin here the share is recorded that was asked for`() {
        let tracer = SpanTracer(exporter: self.exporter(to: "http://127.0.0.1:9"), percent: 25)
        let recorded = (0..<2000).count { _ in
            tracer.startSpan("span", context: .topLevel, ofKind: .server).isRecording
        }
        // Six standard deviations around 500.
        #expect((384...616).contains(recorded))
    }
}

private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}
