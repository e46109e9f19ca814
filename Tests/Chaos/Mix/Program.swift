import Glibc

/// Other programs: started, and run to their end.
enum Program {
    struct CannotStart: Error {}

    /// Starts a program with our environment and more. The first word is its path, or a name that is looked up.
    static func spawn(_ words: [String], adding variables: [String: String] = [:]) throws -> pid_t {
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let environment = Self.environment(adding: variables)
        defer { for text in arguments + environment { free(text) } }
        var pid = pid_t()
        guard posix_spawnp(&pid, words[0], nil, nil, arguments, environment) == 0 else { throw CannotStart() }
        return pid
    }

    /// Whether the program could be started and ended well. Waits for it: for what takes a moment.
    static func run(_ words: String...) -> Bool {
        guard let pid = try? Self.spawn(words) else { return false }
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }

    /// Waits until it has ended, or kills it when it has had its time.
    static func wait(for pid: pid_t, within limit: Duration) async {
        let end = ContinuousClock.now.advanced(by: limit)
        while waitpid(pid, nil, WNOHANG) == 0 {
            if ContinuousClock.now > end { kill(pid, SIGKILL) }
            try? await ContinuousClock().sleep(for: .milliseconds(50))
        }
    }

    private static func environment(adding variables: [String: String]) -> [UnsafeMutablePointer<CChar>?] {
        var texts: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let entry = next.pointee {
            let name = String(cString: entry).prefix { $0 != "=" }
            if variables[String(name)] == nil { texts.append(strdup(entry)) }
            next += 1
        }
        return texts + variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    }
}
