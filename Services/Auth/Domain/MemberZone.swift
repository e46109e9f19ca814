/// Where a member's clock stands. Russia keeps no summer time since 26 October 2014 (Federal Law 248-FZ of 21 July 2014), so a
/// zone is a number of hours; of the zones with the same clock one stands for all.
enum MemberZone: String, Codable, Hashable, Sendable, CaseIterable {
    case kaliningrad = "Europe/Kaliningrad"
    case moscow = "Europe/Moscow"
    case samara = "Europe/Samara"
    case yekaterinburg = "Asia/Yekaterinburg"
    case omsk = "Asia/Omsk"
    case krasnoyarsk = "Asia/Krasnoyarsk"
    case irkutsk = "Asia/Irkutsk"
    case yakutsk = "Asia/Yakutsk"
    case vladivostok = "Asia/Vladivostok"
    case magadan = "Asia/Magadan"
    case kamchatka = "Asia/Kamchatka"

    /// East of Greenwich.
    var offset: Duration {
        let hours: Int64 =
            switch self {
            case .kaliningrad: 2
            case .moscow: 3
            case .samara: 4
            case .yekaterinburg: 5
            case .omsk: 6
            case .krasnoyarsk: 7
            case .irkutsk: 8
            case .yakutsk: 9
            case .vladivostok: 10
            case .magadan: 11
            case .kamchatka: 12
            }
        return .seconds(hours * 3600)
    }
}
