import Glibc

/// Words for the person who waits, and the result.
enum Progress {
    /// On standard error.
    static func say(_ text: String) {
        Self.write(text + "\n", to: STDERR_FILENO)
    }

    /// On standard output.
    static func result(_ text: String) {
        Self.write(text + "\n", to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}
