import FoundationEssentials

/// Where members get an app: what the site and the cabinet link to.
struct AppLink: Encodable, Hashable, Sendable {
    /// Whose devices it is for, and where it is to be had.
    enum Platform: String, Encodable, CaseIterable, Hashable, Sendable {
        case ios, android, rustore, appgallery

        /// What the shop of apps is called.
        var title: String {
            switch self {
            case .ios: "App Store"
            case .android: "Google Play"
            case .rustore: "RuStore"
            case .appgallery: "AppGallery"
            }
        }
    }

    let platform: Platform
    let title: String
    let url: String

    /// Links as they are set where the operator says nothing.
    static let usual = "ios=https://club.example/ios,android=https://club.example/android"

    /// Reads `platform=url` entries between commas; `none` for none.
    /// - Returns: nil for an unknown platform, one that is named twice, and an address that is not https.
    static func parse(_ text: String) -> [AppLink]? {
        guard text != "none" else { return [] }
        var links: [AppLink] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = entry.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let platform = Platform(rawValue: String(parts[0].filter { $0 != " " })),
                !links.contains(where: { $0.platform == platform }), let url = URL(string: String(parts[1])),
                url.scheme == "https", url.host()?.isEmpty == false
            else { return nil }
            links.append(AppLink(platform: platform, title: platform.title, url: String(parts[1])))
        }
        return links
    }
}
