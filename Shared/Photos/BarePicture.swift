/// Whether a file is a picture and nothing else: no camera, no place, no words, nothing behind its end.
enum BarePicture {
    static func isBare(_ bytes: [UInt8], _ kind: PhotoHeader.Kind) -> Bool {
        switch kind {
        case .jpeg: Self.isBareJPEG(bytes)
        case .png: Self.isBarePNG(bytes)
        case .webp: false
        }
    }

    /// ITU-T T.81, B.1.1.4: of the application segments only JFIF, the colour profile and Adobe's colour transform; no
    /// comment. After the scan has begun 0xFF 0xD9 ends the file: inside of a scan a 0xFF byte is followed by 0x00 or
    /// by a restart marker.
    private static func isBareJPEG(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return false }
        var position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            switch marker {
            case 0xE0, 0xE2, 0xEE, 0xC0...0xCF, 0xDB, 0xDD: break
            case 0xDA: return Self.endsWithScan(bytes[position...])
            default: return false
            }
            position += 2 + (Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
        }
        return false
    }

    private static func endsWithScan(_ bytes: ArraySlice<UInt8>) -> Bool {
        var position = bytes.startIndex
        while let marker = bytes[position...].firstIndex(of: 0xFF), marker + 1 < bytes.endIndex {
            if bytes[marker + 1] == 0xD9 { return marker + 2 == bytes.endIndex }
            position = marker + 2
        }
        return false
    }

    /// PNG (W3C 2003), 4.7.2: the chunks that the picture consists of and those that say how its colours are meant.
    private static func isBarePNG(_ bytes: [UInt8]) -> Bool {
        let allowed: Set<String> = [
            "IHDR", "PLTE", "IDAT", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "pHYs", "bKGD",
        ]
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: bytes[(position + 4)..<(position + 8)], as: UTF8.self)
            position += 12 + length
            if name == "IEND" { return position == bytes.count }
            guard allowed.contains(name) else { return false }
        }
        return false
    }
}
