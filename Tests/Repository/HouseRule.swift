/// One rule of the house: what it forbids, and where. Rules are pure, so that each can be shown to catch what it forbids.
struct HouseRule: Sendable {
    let name: String
    /// The lines that break the rule, each as `path:line: what to do instead`.
    let violations: @Sendable (SourceFile) -> [String]

    /// Forbids a text in every line that is not a comment.
    static func forbids(
        _ name: String, _ pattern: @escaping @Sendable (Substring) -> Bool, instead: String,
        where applies: @escaping @Sendable (SourceFile) -> Bool = { _ in true }
    ) -> HouseRule {
        HouseRule(name: name) { file in
            guard applies(file) else { return [] }
            return file.lines.enumerated().compactMap { number, line in
                let code = line.drop { $0 == " " }
                guard !code.hasPrefix("//"), pattern(line) else { return nil }
                return "\(file.path):\(number + 1): \(instead)"
            }
        }
    }
}

extension HouseRule {
    static let services = [
        "Auth", "Ledger", "Promotions", "PartnersExchange", "Charity", "GiftCertificates", "Support",
    ]

    static let all: [HouseRule] = [
        .noSiblingImports, .sqlInStoresOnly, .noPrint, .noCrashes, .noFoundation, .noSleepInTests, .noUnownedTasks,
        .noBlockingCalls, .fileLength, .functionLength, .noMachinePaths, .noUnfinishedWords,
    ]

    /// Services meet in Contracts only. `Services/Club`, the operator's command, runs all of them and may name them.
    static let noSiblingImports = HouseRule.forbids(
        "a service imports no other service and Shared imports no service",
        { line in
            guard let module = importedModule(line) else { return false }
            return Self.services.contains(module)
        },
        instead: "services talk through Contracts and the queue, never by import",
        where: { file in
            let folders = file.folders
            if folders.first == "Shared" { return true }
            return folders.first == "Services" && folders.count > 1 && folders[1] != "Executables"
                && folders[1] != "Club"
        })

    /// A statement stands whole in the method that runs it, in the folder where a reader looks for it.
    static let sqlInStoresOnly = HouseRule.forbids(
        "SQL stands in a Store",
        { line in
            let code = line.drop { $0 == " " || $0 == "\"" }
            let lowered = code.lowercased()
            let verbs = ["select ", "insert into ", "delete from ", "update ", "truncate ", "call "]
            for verb in verbs where lowered.hasPrefix(verb) {
                return mentions(lowered[...], [" from ", " into ", " set ", "select "])
            }
            return false
        },
        instead: "move the statement into Store/",
        where: { file in
            guard file.path.hasSuffix(".swift"), !file.isTest else { return false }
            if ["Shared/Postgres/", "Shared/JobQueue/", "Shared/Web/"].contains(where: file.path.hasPrefix) {
                return false
            }
            return !file.folders.contains("Store")
        })

    static let noPrint = HouseRule.forbids(
        "nothing is printed but by the command's Output",
        { calls($0, "print") || calls($0, "debugPrint") || calls($0, "dump") },
        instead: "log it, or write it through the command's output type",
        where: { $0.path.hasSuffix(".swift") && !$0.isTest && $0.name != "Output.swift" })

    static let noCrashes = HouseRule.forbids(
        "no crash is written down outside tests",
        { line in
            mentions(line, ["try!", " as! ", ")!.", "]!.", "unowned(unsafe)"])
                || calls(line, "fatalError") || calls(line, "preconditionFailure")
        },
        instead: "throw a typed error, or use precondition with a sentence for a programmer's error",
        where: { $0.path.hasSuffix(".swift") && !$0.isTest })

    static let noFoundation = HouseRule.forbids(
        "FoundationEssentials, never Foundation, in what production runs",
        { importedModule($0) == "Foundation" },
        instead: "import FoundationEssentials: Foundation brings ICU, 45 MB a binary",
        where: { $0.path.hasSuffix(".swift") && !$0.isTest })

    static let noSleepInTests = HouseRule.forbids(
        "tests wait for events, never for the clock",
        { line in
            mentions(line, ["Task.sleep", "usleep(", "Thread.sleep", "clock.sleep"])
        },
        instead: "wait for a signal, or poll through TestSupport's Eventually",
        where: {
            $0.path.hasSuffix(".swift") && $0.isTest && !$0.path.hasPrefix("Tests/Support/")
                && !$0.path.hasPrefix("Tests/Benchmarks/") && !$0.path.hasPrefix("Tests/Repository/")
        })

    /// Structured concurrency: a task without an owner outlives its purpose and hides its errors. The few places that
    /// must outlive a cancellation say so in a comment on the line above that starts with `// Unowned:`.
    static let noUnownedTasks = HouseRule(name: "no task without an owner") { file in
        guard file.path.hasSuffix(".swift"), !file.isTest else { return [] }
        return file.lines.enumerated().compactMap { number, line in
            let code = line.drop { $0 == " " }
            guard !code.hasPrefix("//"), mentions(line, [" Task {", "(Task {", "Task.detached"]) else { return nil }
            let before = file.lines[max(0, number - 4)..<number].contains { $0.contains("// Unowned:") }
            return before ? nil : "\(file.path):\(number + 1): use a task group, or say `// Unowned: why` above"
        }
    }

    static let noBlockingCalls = HouseRule.forbids(
        "nothing blocks the cooperative pool",
        { line in
            mentions(
                line,
                ["PQexec(", "PQexecParams(", "PQconnectdb(", "DispatchSemaphore", "DispatchSource", "pthread_join("])
        },
        instead: "go through the reactor", where: { $0.path.hasSuffix(".swift") && !$0.isTest })

    static let fileLength = HouseRule(name: "a file does one thing, in at most 400 lines") { file in
        guard file.path.hasSuffix(".swift"), file.lines.count > 401 else { return [] }
        return ["\(file.path): \(file.lines.count) lines; split it by what it does"]
    }

    static let functionLength = HouseRule(name: "a function has at most 70 lines") { file in
        guard file.path.hasSuffix(".swift") else { return [] }
        return file.functions().filter { $0.length > 70 }.map {
            "\(file.path):\($0.line): \($0.length) lines; name its parts"
        }
    }

    static let noMachinePaths = HouseRule.forbids(
        "no path or host of one machine",
        { line in
            mentions(line, Self.machineWords)
        },
        instead: "find it at run time")

    static let noUnfinishedWords = HouseRule.forbids(
        "nothing is unfinished by its own words",
        { mentions($0, Self.unfinishedWords) },
        instead: "finish it, or open an issue")

    // Written in pieces, so that this file does not break its own rules.
    private static let machinePieces: [[String]] = [
        ["/wo", "rk/"], ["/fa", "rm/"], ["/opt/sw", "ift"], ["/ro", "ot/"], ["deb.deb", "ian.org"], ["py", "pi.org"],
    ]
    private static let unfinishedPieces: [[String]] = [
        ["TO", "DO"], ["FIX", "ME"], [" X", "XX"], ["not imple", "mented"], ["for n", "ow"], ["place", "holder"],
    ]
    static let machineWords: [String] = machinePieces.map { (pieces: [String]) -> String in pieces.joined(separator: "")
    }
    static let unfinishedWords: [String] = unfinishedPieces.map { (pieces: [String]) -> String in
        pieces.joined(separator: "")
    }

    private static func mentions(_ line: Substring, _ words: [String]) -> Bool {
        for word in words where line.firstRange(of: word) != nil { return true }
        return false
    }

    private static func importedModule(_ line: Substring) -> String? {
        var words = line.split(separator: " ")
        while let first = words.first,
            first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first)
        {
            words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { return nil }
        return String(words[1])
    }

    /// Whether the line calls the free function `name`.
    private static func calls(_ line: Substring, _ name: String) -> Bool {
        guard let range = line.firstRange(of: name + "(") else { return false }
        guard range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_" || before == "." || before == "`")
    }
}

extension SourceFile {
    /// The functions of a Swift file by indentation: swift-format guarantees that the closing brace stands below `func`.
    /// A requirement of a protocol has no body: something else begins at its depth, or its depth ends, before a brace.
    func functions() -> [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        for (number, line) in self.lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let code = line.dropFirst(indent)
            let isFunction = code.contains("func ") && !code.hasPrefix("//") && !code.hasPrefix("///")
            guard isFunction || code.hasPrefix("init(") || code.contains(" init(") else { continue }
            let margin = String(repeating: " ", count: indent)
            let end = self.lines[(number + 1)...].firstIndex { next in
                !next.isEmpty && next.prefix { $0 == " " }.count <= indent && !next.hasPrefix(margin + ")")
            }
            guard let end, self.lines[end].hasPrefix(margin + "}") else { continue }
            found.append((number + 1, end - number + 1))
        }
        return found
    }
}
