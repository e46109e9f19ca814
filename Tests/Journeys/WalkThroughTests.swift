import Foundation
import TestSupport
import Testing

/// The README's walk-through, letter by letter: its own text is what runs here.
@Suite struct WalkThroughTests {
    /// A piece of shell, and what it must show when the text says so.
    struct Step: Equatable {
        let script: String
        var output: String?
    }

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The fenced blocks of a section: `sh` runs, a `text` right after it is what it shows.
    static func steps(in markdown: String, section: String) -> [Step] {
        var steps: [Step] = []
        var isInside = false
        var block: (language: String, lines: [Substring])?
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if let (language, lines) = block {
                guard line == "```" else {
                    block = (language, lines + [line])
                    continue
                }
                let text = lines.joined(separator: "\n")
                if language == "sh" { steps.append(Step(script: text)) }
                if language == "text", !steps.isEmpty { steps[steps.count - 1].output = text }
                block = nil
            } else if line.hasPrefix("## ") {
                isInside = line == "## \(section)"
            } else if isInside, line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), [])
            }
        }
        return steps
    }

    @Test func `blocks of shell and what they show are found in their section only`() {
        let markdown =
            "## A\n```sh\nno\n```\n## B\n```sh\na\nb\n```\n\n```text\nx\n```\n```\nc\n```\n```sh\nd\n```\n## C\n"
        let steps = [Step(script: "a\nb", output: "x"), Step(script: "d", output: nil)]
        #expect(Self.steps(in: markdown, section: "B") == steps)
    }

    @Test func `the walk-through works as it is written`() async throws {
        let markdown = try String(contentsOfFile: "\(Self.repository)/README.md", encoding: .utf8)
        let steps = Self.steps(in: markdown, section: "Walk-through")
        try #require(steps.count >= 6 && steps.contains { $0.output != nil })
        let mark = "-- end of step --"
        let script = (["set -euo pipefail"] + steps.map { "\($0.script)\necho '\(mark)'" }).joined(separator: "\n")
        try await TestSystem.run(demo: true) { system in
            let result = try await system.shell.run("bash", ["-c", script], in: Self.repository)
            #expect(result.code == 0, "\(result)")
            let shown = result.output.components(separatedBy: "\(mark)\n").dropLast()
            try #require(shown.count == steps.count, "\(result)")
            for (step, output) in zip(steps, shown) {
                guard let expected = step.output else { continue }
                #expect(output == expected + "\n", "\(step.script)")
            }
        }
    }
}
