import GiftCertificates
import Host

/// Gift certificates from their design to the last kopeck. A process of its own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(GiftCertificatesModule.self)
    }
}
