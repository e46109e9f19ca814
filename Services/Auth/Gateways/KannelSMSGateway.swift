import AsyncHTTPClient
import FoundationEssentials
import Kernel
import NIOCore
import NIOHTTP1

/// Kannel's `sendsms` (https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html, "Using the HTTP interface to
/// smsbox"). Reports come to ``KannelRoutes`` at an address that names the message, so that a message whose answer was
/// lost is known to have been taken.
struct KannelSMSGateway: SMSGateway {
    struct Configuration: Sendable {
        /// Of `sendsms`, without parameters.
        let address: String
        let user: String
        let password: Secret
        /// What the phone shows as the sender.
        let sender: String
        /// Where Kannel reaches auth, with the secret: `http://host:port/gateways/kannel/<secret>`.
        let reports: Secret
        /// How long one message may take.
        var patience = Duration.seconds(10)
    }

    let client: HTTPClient
    let configuration: Configuration

    /// Delivered, failed, queued, accepted and rejected by the centre: all reports there are.
    private static let reportMask = 31

    func send(to phone: PhoneNumber, text: String, reference: UUID) async throws -> DeliveryState {
        let request = HTTPClientRequest(url: self.address(to: phone, text: text, reference: reference))
        let status: UInt
        do {
            let nanoseconds = Int64(self.configuration.patience / .nanoseconds(1))
            let response = try await self.client.execute(request, timeout: .nanoseconds(nanoseconds))
            _ = try await response.body.collect(upTo: 64 * 1024)
            status = response.status.code
        } catch let error as HTTPClientError where Self.mayHaveArrived(error) {
            throw GatewayFailure.unclear("kannel-silent")
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw GatewayFailure.unavailable("kannel-unreachable")
        }
        switch status {
        // 202: accepted, or queued because the centre is away.
        case 200..<300: return .accepted
        case 400: throw GatewayFailure.refused("kannel-400")
        // 403 is our own password, 503 a Kannel that is not ready: nothing about this message.
        default: throw GatewayFailure.unavailable("kannel-\(status)")
        }
    }

    /// The address of one request. UTF-8 there; whatever is not plain ASCII goes on as UCS-2.
    func address(to phone: PhoneNumber, text: String, reference: UUID) -> String {
        let id = reference.uuidString.lowercased()
        let parameters = [
            ("username", self.configuration.user), ("password", self.configuration.password.text),
            ("from", self.configuration.sender), ("to", phone.e164), ("text", text), ("charset", "UTF-8"),
            ("coding", Self.isPlain(text) ? "0" : "2"), ("dlr-mask", "\(Self.reportMask)"),
            ("dlr-url", "\(self.configuration.reports.text)/reports/\(id)?status=%d"),
        ]
        return self.configuration.address + "?"
            + parameters.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    }

    /// Letters, digits and signs that ASCII and the GSM alphabet (3GPP TS 23.038) share.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7a).contains($0) && !"$@[\\]^_`".utf8.contains($0) || $0 == 0x0a }
    }

    private static func mayHaveArrived(_ error: HTTPClientError) -> Bool {
        [.remoteConnectionClosed, .readTimeout, .writeTimeout, .deadlineExceeded, .cancelled].contains(error)
    }
}

/// RFC 3986, 2.1: everything but the unreserved characters.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
