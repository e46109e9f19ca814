/// One line of a CSV file (RFC 4180) whose fields hold no line breaks.
struct CSVRow {
    /// The fields' bytes, quotes taken off.
    let fields: [ArraySlice<UInt8>]

    /// - Parameter line: the line without its end.
    init(_ line: ArraySlice<UInt8>) {
        guard line.contains(UInt8(ascii: "\"")) else {
            self.fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            return
        }
        self.fields = Self.quoted(line)
    }

    /// The field as text.
    func text(_ index: Int) -> String { String(decoding: self.fields[index], as: UTF8.self) }

    private static func quoted(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var fields: [ArraySlice<UInt8>] = []
        var field: [UInt8] = []
        var inQuotes = false
        var index = line.startIndex
        while index < line.endIndex {
            let byte = line[index]
            let next = line.index(after: index)
            switch byte {
            case UInt8(ascii: "\"") where inQuotes && next < line.endIndex && line[next] == byte:
                field.append(byte)  // two quotes inside quotes stand for one
                index = next
            case UInt8(ascii: "\""): inQuotes.toggle()
            case UInt8(ascii: ",") where !inQuotes:
                fields.append(field[...])
                field = []
            default: field.append(byte)
            }
            index = line.index(after: index)
        }
        fields.append(field[...])
        return fields
    }
}
