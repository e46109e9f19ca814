internal import Glibc

/// The figures that Prometheus expects of every process, read from /proc at the moment of asking.
/// Names: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
enum ProcessMetrics {
    struct Figure: Sendable {
        let name: String
        let help: String
        let kind: MetricFamily.Kind
        let value: Double
    }

    /// Those that could be read; none where there is no /proc.
    static func read() -> [Figure] {
        var figures: [Figure] = []
        func add(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double?) {
            if let value { figures.append(Figure(name: name, help: help, kind: kind, value: value)) }
        }
        let times = ProcessTimes.read()
        add("process_cpu_seconds_total", .counter, "User and system time spent.", times?.cpuSeconds)
        add("process_open_fds", .gauge, "Open file descriptors.", Self.openDescriptors().map(Double.init))
        add("process_resident_memory_bytes", .gauge, "Resident memory.", Self.residentBytes().map(Double.init))
        add("process_start_time_seconds", .gauge, "When the process started, since 1970.", times?.startedAt)
        return figures
    }

    /// Resident memory; nil where there is no /proc.
    static func residentBytes() -> Int? {
        // statm: size resident shared …, in pages.
        guard
            let pages = Self.contents(of: "/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap({
                Int($0)
            })
        else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Neither ".", "..", nor the one that reads.
        return count - 3
    }

    /// A small file of /proc; nil when it cannot be read.
    static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 {
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// From /proc/self/stat and /proc/stat (proc(5)).
private struct ProcessTimes {
    let cpuSeconds: Double
    let startedAt: Double

    static func read() -> ProcessTimes? {
        // The name, in parentheses, may itself contain spaces and parentheses: count from the last one.
        guard let stat = ProcessMetrics.contents(of: "/proc/self/stat"), let end = stat.lastIndex(of: ")"),
            let boot = Self.bootTime
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        // Field 3 of the manual is the first here: utime is 14, stime 15, starttime 22.
        guard fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]),
            let start = Double(fields[19])
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return ProcessTimes(cpuSeconds: (user + system) / ticks, startedAt: boot + start / ticks)
    }

    private static let bootTime: Double? = {
        let line = ProcessMetrics.contents(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }()
}
